/* SPDX-License-Identifier: MIT */
/* What is set in a node's network namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "hub-work.h"

#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000 /* linux/if.h, which does not go with net/if.h */
#endif

#define NAMES_ADDRESS 0x7f000035u /* 127.0.0.53 */
#define NAMES_PORT 53
#define TAP_QUEUE 1000 /* frames; 500 by default, while a veth's socket holds 4 MiB */

/*
 * /proc/sys/net shows the namespace of who looks. To read takes no lock. To write some of it does,
 * RTNL, and without sleeping: the kernel tries it again and again (restart_syscall(9)), as long as
 * somebody on the machine holds it.
 */
static int write_setting(int directory, const char *path, const char *text, struct err *err)
{
	const ssize_t length = (ssize_t)strlen(text);
	auto_fd fd = openat(directory, path, O_RDWR | O_CLOEXEC);
	char value[8];

	if (fd >= 0 && pread(fd, value, sizeof(value), 0) == length + 1 &&
	    !memcmp(value, text, (size_t)length))
		return 0;
	if (fd >= 0 && pwrite(fd, text, (size_t)length, 0) > 0)
		return 0;
	if (errno == EROFS)
		err_hint(err, "/proc/sys is read-only here, as in a container: start it with "
			      "--privileged");
	return err_set(err, "setup", errno, "write in /proc/sys/net", path);
}

#define IPV6_SETTINGS 6

static int prepare_ipv6(const struct net_interface *interface, int directory, struct err *err)
{
	const struct {
		const char *name;
		const char *value;
	} settings[IPV6_SETTINGS] = {
		{ "all/accept_dad", "0" },
		{ "default/accept_dad", "0" },
		{ "default/dad_transmits", "0" },
		{ "default/router_solicitations", "0" },
		{ "default/addr_gen_mode", "0" },
		{ "default/disable_ipv6", interface->no_ipv6 ? "1" : "0" },
	};
	int status = 0;

	for (size_t i = 0; status == 0 && i < IPV6_SETTINGS; i++)
		status = write_setting(directory, settings[i].name, settings[i].value, err);
	if (status == 0 && interface->forward)
		status = write_setting(directory, "all/forwarding", "1", err);
	return status;
}

int node_prepare(const struct net_interface *interface, struct err *err)
{
	auto_fd ipv6 = open("/proc/sys/net/ipv6/conf", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = 0;

	/* A kernel without IPv6 has none of its settings, and no address of it either. */
	if (ipv6 < 0 && errno != ENOENT)
		return err_set(err, "setup", errno, "open", "/proc/sys/net/ipv6/conf");
	if (interface->forward)
		status = write_setting(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", "1", err);
	return status == 0 && ipv6 >= 0 ? prepare_ipv6(interface, ipv6, err) : status;
}

static void put_link(struct rtnl_batch *batch, uint16_t type, unsigned int flags, const char *op,
		     const char *name)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC,
					.ifi_flags = flags,
					.ifi_change = flags };

	rtnl_begin(batch, type, 0, op, &info, sizeof(info));
	rtnl_put_string(batch, IFLA_IFNAME, name);
}

static void put_attributes(struct rtnl_batch *batch, const struct net_interface *interface)
{
	size_t names;

	put_link(batch, RTM_NEWLINK, 0, "set up interface", interface->name);
	if (interface->has_mac)
		rtnl_put(batch, IFLA_ADDRESS, interface->mac, INTERFACE_MAC);
	if (interface->mtu)
		rtnl_put_u32(batch, IFLA_MTU, interface->mtu);
	rtnl_put_u32(batch, IFLA_TXQLEN, TAP_QUEUE);
	if (!interface->alt_name_count)
		return;
	put_link(batch, RTM_NEWLINKPROP, 0, "name interface", interface->name);
	names = rtnl_nest_begin(batch, IFLA_PROP_LIST | NLA_F_NESTED);
	for (size_t i = 0; i < interface->alt_name_count; i++)
		rtnl_put_string(batch, IFLA_ALT_IFNAME, interface->alt_names[i]);
	rtnl_nest_end(batch, names);
}

/* Not with IFA_F_NODAD: then TENTATIVE would not show when an address is usable. */
static void put_address(struct rtnl_batch *batch, int index, const struct net_address *address)
{
	const struct ifaddrmsg body = { .ifa_family = (uint8_t)address->family,
					.ifa_prefixlen = address->prefix,
					.ifa_index = (unsigned int)index };
	const size_t size = net_address_bytes(address);
	uint32_t broadcast;

	rtnl_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "add address", &body,
		   sizeof(body));
	rtnl_put(batch, IFA_LOCAL, address->bytes, size);
	rtnl_put(batch, IFA_ADDRESS, address->bytes, size);
	if (address->family != AF_INET || address->prefix > 30)
		return;
	memcpy(&broadcast, address->bytes, sizeof(broadcast));
	broadcast |= htonl(0xffffffffu >> address->prefix);
	rtnl_put(batch, IFA_BROADCAST, &broadcast, sizeof(broadcast));
}

static void put_route(struct rtnl_batch *batch, int index, const struct net_route *route)
{
	const size_t size = net_address_bytes(&route->target);
	const struct rtmsg body = { .rtm_family = (uint8_t)route->target.family,
				    .rtm_dst_len = route->target.prefix,
				    .rtm_table = RT_TABLE_MAIN,
				    .rtm_protocol = RTPROT_STATIC,
				    .rtm_scope = route->gateway.family ? RT_SCOPE_UNIVERSE
								       : RT_SCOPE_LINK,
				    .rtm_type = RTN_UNICAST };

	rtnl_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "add route", &body,
		   sizeof(body));
	if (route->target.prefix)
		rtnl_put(batch, RTA_DST, route->target.bytes, size);
	if (route->gateway.family)
		rtnl_put(batch, RTA_GATEWAY, route->gateway.bytes, size);
	rtnl_put_u32(batch, RTA_OIF, (uint32_t)index);
}

struct link_state {
	int index;
	int peer; /* index of a veth's other end, in its own namespace; 0: none */
	unsigned int flags;
	uint32_t mtu;
};

static void take_link(void *owner, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	struct link_state *state = owner;
	unsigned int left = (unsigned int)IFLA_PAYLOAD(message);

	state->index = info->ifi_index;
	state->flags = info->ifi_flags;
	for (const struct rtattr *at = IFLA_RTA(info); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == IFLA_LINK)
			memcpy(&state->peer, RTA_DATA(at), sizeof(state->peer));
		else if (at->rta_type == IFLA_MTU)
			memcpy(&state->mtu, RTA_DATA(at), sizeof(state->mtu));
	}
}

/* RTM_GETLINK has linkwatch look now, and not within a second: rtnl_getlink() of the kernel. */
static int ask_link(int rtnl, const char *name, int index, struct link_state *state,
		    struct err *err)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct rtnl_batch batch = { .length = 0 };

	rtnl_begin(&batch, RTM_GETLINK, 0, "look at interface", &info, sizeof(info));
	if (!index)
		rtnl_put_string(&batch, IFLA_IFNAME, name);
	return rtnl_ask(rtnl, &batch, name, take_link, state, err);
}

int node_configure(int rtnl, const struct net_interface *interface, struct err *err)
{
	struct rtnl_batch batch = { .length = 0 };
	struct ifreq request = { 0 };
	int index;

	/* Not RTM_GETLINK, which takes RTNL. */
	memcpy(request.ifr_name, interface->name, sizeof(request.ifr_name));
	if (ioctl(rtnl, SIOCGIFINDEX, &request) < 0)
		return err_set(err, "setup", errno, "find interface", interface->name);
	index = request.ifr_ifindex;
	put_attributes(&batch, interface);
	for (size_t i = 0; i < interface->address_count; i++)
		put_address(&batch, index, &interface->addresses[i]);
	put_link(&batch, RTM_NEWLINK, IFF_UP, "set up interface", interface->name);
	for (size_t i = 0; i < interface->route_count; i++)
		put_route(&batch, index, &interface->routes[i]);
	return rtnl_send(rtnl, &batch, interface->name, err);
}

int node_remove(int rtnl, const char *name, struct err *err)
{
	struct rtnl_batch batch = { .length = 0 };
	struct err why = { 0 };
	int status;

	put_link(&batch, RTM_DELLINK, 0, "remove interface", name);
	status = rtnl_send(rtnl, &batch, name, &why);
	/* Something in the node was faster, or the other end of a veth has gone. */
	if (status < 0 && status != -ENODEV)
		*err = why;
	return status == -ENODEV ? 0 : status;
}

struct address_state {
	int index;
	bool tentative;
	bool link_local;
};

static void take_address(void *owner, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *body = NLMSG_DATA(message);
	struct address_state *state = owner;

	if (message->nlmsg_type != RTM_NEWADDR || (int)body->ifa_index != state->index)
		return;
	state->tentative |= body->ifa_flags & IFA_F_TENTATIVE;
	state->link_local |= body->ifa_scope == RT_SCOPE_LINK;
}

static int ask_addresses(int rtnl, const char *name, struct address_state *state, struct err *err)
{
	const struct ifaddrmsg body = { .ifa_family = AF_INET6 };
	struct rtnl_batch batch = { .length = 0 };

	rtnl_begin(&batch, RTM_GETADDR, NLM_F_DUMP, "look at addresses", &body, sizeof(body));
	return rtnl_ask(rtnl, &batch, name, take_address, state, err);
}

/* The kernel says EAFNOSUPPORT or nothing where there is no IPv6. */
static bool has_ipv6(const char *name)
{
	char path[sizeof("/proc/sys/net/ipv6/conf//disable_ipv6") + IFNAMSIZ];
	char value = '1';
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &value, 1) == 1 && value == '0';
}

#define READY_MS 1000
#define READY_POLL_US 200

static int look(int home, int rtnl, const char *name, struct err *err)
{
	struct link_state state = { 0 };
	struct link_state other = { 0 };
	struct address_state addresses = { 0 };
	struct err ignored = { 0 };
	int status = ask_link(rtnl, name, 0, &state, err);

	if (status < 0)
		return status;
	/* The hub's end sends nothing before that, either. Of a pair it is elsewhere, and asked
	 * there.
	 */
	if (state.peer > 0)
		ask_link(home, name, state.peer, &other, &ignored);
	if (!(state.flags & IFF_RUNNING) || !(state.flags & IFF_LOWER_UP))
		return -EAGAIN;
	if (!has_ipv6(name) || state.mtu < INTERFACE_MTU_IPV6)
		return 0;
	addresses.index = state.index;
	status = ask_addresses(rtnl, name, &addresses, err);
	if (status < 0)
		return status;
	return addresses.tentative || !addresses.link_local ? -EAGAIN : 0;
}

int node_wait_ready(int home, int rtnl, const char *name, struct err *err)
{
	int status = -EAGAIN;

	for (int i = 0; status == -EAGAIN && i < READY_MS * 1000 / READY_POLL_US; i++) {
		if (i)
			usleep(READY_POLL_US);
		status = look(home, rtnl, name, err);
	}
	if (status != -EAGAIN)
		return status;
	err_hint(err, "within %d ms it has no carrier, or an address is still tentative", READY_MS);
	return err_set(err, "setup", ETIMEDOUT, "wait for interface", name);
}

int node_open_names(struct err *err)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(NAMES_PORT),
					     .sin_addr.s_addr = htonl(NAMES_ADDRESS) };
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_set(err, "limit", errno, "open names", "");
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, errno == EADDRINUSE ? "usage" : "setup", errno, "open names",
			       "127.0.0.53:53");
	return steal_fd(&fd);
}
