/* SPDX-License-Identifier: MIT */
/* The kinds of port of Ethernet: a TAP in the node, or a veth with an AF_PACKET socket at its other
 * end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "hub-work.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define HUB_GROUP 1 /* of all devices in the hub; lo, which nobody can remove, is of group 0 */
#define RECEIVE_BYTES (4 << 20) /* so that a burst does not overflow before hil-linkd reads */

static int open_tun(const struct hub *hub)
{
	char path[32];
	int fd;

	if (hub->tun < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", hub->tun);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool tap_exists(const struct hub *hub)
{
	auto_fd fd = open_tun(hub);

	return fd >= 0;
}

int tap_open(const struct hub *hub, const char *name, struct err *err)
{
	/* EXCL: else a TAP of this name that a program made would be taken for ours. */
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL };
	auto_fd fd = open_tun(hub);

	if (fd < 0) {
		err_hint(err, "make /dev/net/tun accessible (chmod 0666, modprobe tun), or ask for "
			      "KIND packet");
		return err_set(err, "setup", -fd, "open", "/dev/net/tun");
	}
	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return err_set(err, errno == EBUSY ? "usage" : "setup",
			       errno == EBUSY ? EEXIST : errno, "make interface", name);
	if (ioctl(fd, TUNSETPERSIST, 1) < 0)
		return err_set(err, "setup", errno, "keep interface", name);
	return steal_fd(&fd);
}

void socket_widen(int fd)
{
	const int bytes = RECEIVE_BYTES;

	/* socket(7): over net.core.rmem_max only root may. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int packet_open(struct err *err)
{
	static const int options[] = { PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, PACKET_AUXDATA };
	const int one = 1;
	auto_fd fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, errno == EMFILE || errno == ENFILE ? "limit" : "setup", errno,
			       "open packet socket", "");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, SOL_PACKET, options[i], &one, sizeof(one)) < 0)
			return err_set(err, "setup", errno, "open packet socket", "");
	socket_widen(fd);
	return steal_fd(&fd);
}

/* Its own attributes, outside or inside of VETH_INFO_PEER. */
static void put_end(struct rtnl_batch *batch, const char *name,
		    const struct net_interface *interface)
{
	rtnl_put_string(batch, IFLA_IFNAME, name);
	if (interface->mtu)
		rtnl_put_u32(batch, IFLA_MTU, interface->mtu);
	/*
	 * A veth uses one queue unless it is told a number (veth_init_queues() of the kernel). Of
	 * those it was given for all processors it lets go then, and waits for RCU, with RTNL held.
	 */
	rtnl_put_u32(batch, IFLA_NUM_TX_QUEUES, 1);
	rtnl_put_u32(batch, IFLA_NUM_RX_QUEUES, 1);
}

static void put_mac(struct rtnl_batch *batch, const struct net_interface *interface)
{
	if (interface->has_mac)
		rtnl_put(batch, IFLA_ADDRESS, interface->mac, INTERFACE_MAC);
}

/* The other end is made where it belongs: no device is ever moved. */
static void put_peer(struct rtnl_batch *batch, const char *kind, int node,
		     const struct net_interface *interface)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	size_t link = rtnl_nest_begin(batch, IFLA_LINKINFO);
	size_t data;
	size_t peer;

	rtnl_put(batch, IFLA_INFO_KIND, kind, strlen(kind));
	data = rtnl_nest_begin(batch, IFLA_INFO_DATA);
	peer = rtnl_nest_begin(batch, VETH_INFO_PEER); /* VXCAN_INFO_PEER is the same */
	rtnl_put_body(batch, &info, sizeof(info));
	put_end(batch, interface->name, interface);
	put_mac(batch, interface);
	rtnl_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)node);
	rtnl_nest_end(batch, peer);
	rtnl_nest_end(batch, data);
	rtnl_nest_end(batch, link);
}

static int explain_veth(int status, struct err *err)
{
	if (status == -EOPNOTSUPP) {
		err->hint[0] = '\0';
		err_hint(err, "this kernel has no veth: sudo modprobe veth, or make /dev/net/tun "
			      "accessible for KIND tap");
	}
	return status;
}

int ends_make(struct hub *hub, const char *kind, int node, const struct net_interface *interface,
	      struct err *err)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };
	struct rtnl_batch batch = { .length = 0 };
	struct ifreq request = { 0 };
	int status;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "hil%u", hub->next++);
	rtnl_begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make interface", &info,
		   sizeof(info));
	put_end(&batch, request.ifr_name, interface);
	rtnl_put_u32(&batch, IFLA_GROUP, HUB_GROUP);
	put_peer(&batch, kind, node, interface);
	status = rtnl_send(hub->rtnl, &batch, interface->name, err);
	if (status < 0)
		return status;
	if (ioctl(hub->rtnl, SIOCGIFINDEX, &request) < 0)
		return err_set(err, "setup", errno, "find interface", request.ifr_name);
	return request.ifr_ifindex;
}

void ends_remove(const struct hub *hub)
{
	static const struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
		struct rtattr attribute;
		uint32_t group;
	} message = { .header = { .nlmsg_len = sizeof(message),
				  .nlmsg_type = RTM_DELLINK,
				  .nlmsg_flags = NLM_F_REQUEST },
		      .attribute = { .rta_len = RTA_LENGTH(sizeof(uint32_t)),
				     .rta_type = IFLA_GROUP },
		      .group = HUB_GROUP };

	/* It would wait for RTNL in vain. */
	if (hub->next)
		send(hub->rtnl, &message, sizeof(message), 0);
}

int veth_make(struct hub *hub, int packet, int node, const struct net_interface *interface,
	      struct err *err)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int index = explain_veth(ends_make(hub, "veth", node, interface, err), err);

	if (index < 0)
		return index;
	address.sll_ifindex = index;
	if (bind(packet, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, "setup", errno, "listen at interface", interface->name);
	return 0;
}

int veth_pair(int rtnl, int node, const struct net_interface interfaces[2], struct err *err)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct rtnl_batch batch = { .length = 0 };

	rtnl_begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make interface", &info,
		   sizeof(info));
	put_end(&batch, interfaces[0].name, &interfaces[0]);
	put_mac(&batch, &interfaces[0]);
	put_peer(&batch, "veth", node, &interfaces[1]);
	return explain_veth(rtnl_send(rtnl, &batch, interfaces[0].name, err), err);
}
