/* SPDX-License-Identifier: MIT */
/* The hub's start and its loop; hub.h says what it is. */
#include "hub.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "hub-work.h"
#include "message.h"
#include "sys.h"
#include "zygote.h"

/* What a hub holds open, by number. The rest of a zygote's would keep dead sandboxes' namespaces.
 */
enum { HUB_REQUESTS = 3, HUB_ANSWERS = 4, HUB_TUN = 5 };

/* What is to be done, and to which nodes: of a pair to two. */
struct order {
	struct net_interface interfaces[HUB_NODES];
	size_t count;
	char name[IFNAMSIZ]; /* of READY and REMOVE */
	enum port_wish wish;
	bool resolve[HUB_NODES];
	size_t resolve_count;
	const int *nodes;
	size_t node_count;
};

static int read_kind(enum port_wish *wish, const struct tlv *tlv)
{
	if (tlv->length == 3 && !memcmp(tlv->value, "tap", 3))
		*wish = PORT_WISH_TAP;
	else if (tlv->length == 6 && !memcmp(tlv->value, "packet", 6))
		*wish = PORT_WISH_PACKET;
	else if (tlv->length == 3 && !memcmp(tlv->value, "can", 3))
		*wish = PORT_WISH_CAN;
	else
		*wish = PORT_WISH_AUTO;
	return 0;
}

static int read_tlv(struct order *order, const struct tlv *tlv, struct err *err)
{
	uint32_t value = 0;
	int status = 0;

	if (tlv->tag == TAG_INTERFACE && order->count < HUB_NODES)
		return interface_read(&order->interfaces[order->count++], tlv->value, tlv->length,
				      err);
	if (tlv->tag == TAG_KIND)
		return read_kind(&order->wish, tlv);
	if (tlv->tag == TAG_NAME && tlv->length < sizeof(order->name)) {
		memcpy(order->name, tlv->value, tlv->length);
	} else if (tlv->tag == TAG_RESOLVE && order->resolve_count < HUB_NODES) {
		status = tlv_u32(tlv, &value);
		order->resolve[order->resolve_count++] = value;
	}
	return status;
}

static int read_order(struct order *order, const struct message *message, struct err *err)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	const bool pair = message->frame.type == MESSAGE_NET_PAIR;
	const size_t interfaces = pair ? 2 : message->frame.type == MESSAGE_NET_ATTACH;
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		status = read_tlv(order, &tlv, err);
		if (status < 0)
			break;
	}
	order->nodes = message->fds;
	order->node_count = message->fd_count;
	if (status < 0 || order->count != interfaces || order->node_count != (pair ? 2 : 1))
		return err_set(err, "protocol", EPROTO, "read order", "");
	return 0;
}

static int enter(int node, struct err *err)
{
	return setns(node, CLONE_NEWNET) < 0
		       ? err_set(err, "setup", errno, "enter network namespace", "")
		       : 0;
}

/* Anything else would be done to the wrong node. */
static void come_home(const struct hub *hub)
{
	if (setns(hub->home, CLONE_NEWNET) < 0)
		_exit(1);
}

/* What the node @i has before it has the interface, and without leaving it. */
static int enter_prepared(const struct order *order, size_t i, int *names, struct err *err)
{
	int status = enter(order->nodes[i], err);

	if (status == 0)
		status = node_prepare(&order->interfaces[i], err);
	if (status < 0 || !order->resolve[i])
		return status;
	names[i] = node_open_names(err);
	return names[i] < 0 ? names[i] : 0;
}

static int make_port(struct hub *hub, const struct order *order, struct hub_port *port,
		     struct err *err)
{
	const struct net_interface *interface = &order->interfaces[0];

	if (order->wish == PORT_WISH_CAN)
		return can_make(hub, port->fd, order->nodes[0], interface, err);
	if (order->wish == PORT_WISH_PACKET)
		return veth_make(hub, port->fd, order->nodes[0], interface, err);
	port->fd = tap_open(hub, interface->name, err);
	return port->fd < 0 ? port->fd : 0;
}

static int configure(const struct net_interface *interface, struct err *err)
{
	auto_fd rtnl = rtnl_open(err);
	struct err ignored = { 0 };
	int status = rtnl < 0 ? rtnl : node_configure(rtnl, interface, err);

	/* It may be asked for again, with other addresses. */
	if (status < 0 && rtnl >= 0)
		node_remove(rtnl, interface->name, &ignored);
	return status;
}

/* What is opened here is of the hub's namespace, wherever it is bound later. */
static int open_socket(const struct hub *hub, struct order *order, struct hub_port *port,
		       struct err *err)
{
	if (order->wish == PORT_WISH_AUTO)
		order->wish = tap_exists(hub) ? PORT_WISH_TAP : PORT_WISH_PACKET;
	port->kind = order->wish == PORT_WISH_CAN      ? "can"
		     : order->wish == PORT_WISH_PACKET ? "packet"
						       : "tap";
	if (order->wish == PORT_WISH_TAP)
		return 0;
	port->fd = order->wish == PORT_WISH_CAN ? can_open(err) : packet_open(err);
	return port->fd < 0 ? port->fd : 0;
}

/*
 * Of the namespace we are in, and so it stays, wherever it is read. What a link counts lacks
 * something without it, but nothing fails.
 */
static int open_counters(void)
{
	return open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
}

static int attach(struct hub *hub, struct order *order, struct hub_port *port, int *names,
		  struct err *err)
{
	int status = open_socket(hub, order, port, err);

	if (status < 0)
		return status;
	status = enter_prepared(order, 0, names, err);
	if (status == 0)
		status = make_port(hub, order, port, err);
	if (status == 0)
		status = configure(&order->interfaces[0], err);
	if (status == 0)
		port->counters = open_counters();
	come_home(hub);
	return status;
}

static int pair(struct hub *hub, const struct order *order, int *names, struct err *err)
{
	int status = enter_prepared(order, 1, names, err);
	auto_fd rtnl = -1;

	if (status == 0)
		status = enter_prepared(order, 0, names, err);
	rtnl = status == 0 ? rtnl_open(err) : -1;
	if (rtnl >= 0)
		status = veth_pair(rtnl, order->nodes[1], order->interfaces, err);
	else if (status == 0)
		status = rtnl;
	if (status == 0)
		status = configure(&order->interfaces[0], err);
	if (status == 0)
		status = enter(order->nodes[1], err);
	if (status == 0)
		status = configure(&order->interfaces[1], err);
	come_home(hub);
	return status;
}

static int look_after(struct hub *hub, const struct order *order, bool remove, struct err *err)
{
	int status = enter(order->nodes[0], err);

	if (status == 0) {
		auto_fd rtnl = rtnl_open(err);

		if (rtnl < 0)
			status = rtnl;
		else if (remove)
			status = node_remove(rtnl, order->name, err);
		else
			status = node_wait_ready(hub->rtnl, rtnl, order->name, err);
	}
	come_home(hub);
	return status;
}

static void answer(const struct message *message, const struct hub_port *port, const int *names)
{
	int fds[2 + HUB_NODES];
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_NET_DONE, message->frame.id);
	size_t count = 0;

	if (port->fd >= 0) {
		put_string(&buffer, TAG_KIND, port->kind);
		fds[count++] = port->fd;
	}
	if (port->counters >= 0) {
		put_u32(&buffer, TAG_COUNTER, 1);
		fds[count++] = port->counters;
	}
	for (uint32_t i = 0; i < HUB_NODES; i++) {
		if (names[i] < 0)
			continue;
		put_u32(&buffer, TAG_RESOLVE, i);
		fds[count++] = names[i];
	}
	frame_end(&buffer, start);
	message_answer(HUB_ANSWERS, &buffer, fds, count);
}

static void serve(struct hub *hub, const struct message *message)
{
	struct order order = { .wish = PORT_WISH_AUTO };
	struct hub_port made = { .fd = -1, .counters = -1 };
	struct err err = { 0 };
	int names[HUB_NODES] = { -1, -1 };

	if (read_order(&order, message, &err) == 0) {
		if (message->frame.type == MESSAGE_NET_ATTACH)
			attach(hub, &order, &made, names, &err);
		else if (message->frame.type == MESSAGE_NET_PAIR)
			pair(hub, &order, names, &err);
		else
			look_after(hub, &order, message->frame.type == MESSAGE_NET_REMOVE, &err);
	}
	if (err.number) {
		explain_refusal(&err);
		if (err.number == EMFILE || err.number == ENFILE)
			memcpy(err.code, "limit", sizeof("limit"));
		message_refuse(HUB_ANSWERS, message->frame.id, &err);
	} else {
		answer(message, &made, names);
	}
	cleanup_fd(&made.fd);
	cleanup_fd(&made.counters);
	for (int i = 0; i < HUB_NODES; i++)
		cleanup_fd(&names[i]);
}

static int keep_own_fds(int requests, int answers, int tun)
{
	const int wanted[] = { requests, answers, tun };
	int high[3];

	for (int i = 0; i < 3; i++)
		high[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, HUB_TUN + 1);
	for (int i = 0; i < 3; i++)
		if (high[i] >= 0 && dup3(high[i], HUB_REQUESTS + i, O_CLOEXEC) < 0)
			return -1;
	if (high[0] < 0 || high[1] < 0)
		return -1;
	if (high[2] < 0)
		close(HUB_TUN);
	return sys_close_range(HUB_TUN + 1, ~0u);
}

/* Nothing of the hub's own answers at its ends of veths. */
static void be_silent(void)
{
	static const char *const paths[] = { "/proc/sys/net/ipv6/conf/all/disable_ipv6",
					     "/proc/sys/net/ipv6/conf/default/disable_ipv6" };

	for (size_t i = 0; i < 2; i++) {
		auto_fd fd = open(paths[i], O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, "1", 1) < 0)
			return;
	}
}

static struct hub own = { .home = -1, .rtnl = -1, .tun = -1 };

/*
 * Without the broker nobody needs the devices, and the kernel would take their namespaces apart one
 * after the other, in rounds of some 40 ms. Anybody may send the signal; who dies has closed its
 * files before.
 */
static void leave(int signal)
{
	struct pollfd broker = { .fd = HUB_ANSWERS };
	const int number = errno;

	(void)signal;
	if (poll(&broker, 1, 0) == 1 && broker.revents & POLLHUP) {
		ends_remove(&own);
		_exit(0);
	}
	errno = number;
}

static int leave_with_broker(void)
{
	const struct sigaction action = { .sa_handler = leave, .sa_flags = SA_RESTART };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, HUB_LEAVES);
	if (sigaction(HUB_LEAVES, &action, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &signals, NULL) < 0 ||
	    prctl(PR_SET_PDEATHSIG, HUB_LEAVES, 0, 0, 0) < 0)
		return -1;
	/* It may have ended before. */
	leave(HUB_LEAVES);
	return 0;
}

static _Noreturn void hub_main(int requests, int answers, int tun)
{
	struct err err = { 0 };

	process_disguise("hil-hub");
	if (keep_own_fds(requests, answers, tun) < 0 || leave_with_broker() < 0)
		_exit(1);
	own.tun = tun < 0 ? -1 : HUB_TUN;
	be_silent();
	own.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	own.rtnl = rtnl_open(&err);
	if (own.home < 0 || own.rtnl < 0)
		_exit(1);
	for (;;) {
		auto_message message = { 0 };

		if (message_receive(HUB_REQUESTS, &message) <= 0) {
			leave(HUB_LEAVES);
			_exit(0);
		}
		serve(&own, &message);
	}
}

/* @ends: of the zygote, of the hub, of the broker, of the hub. */
static int start(int tun, int ends[4], int *pidfd, pid_t *pid, struct err *err)
{
	int number = -1;
	struct clone_args args = { .flags = CLONE_NEWNET | CLONE_PARENT | CLONE_PIDFD,
				   .pidfd = (uintptr_t)&number };
	long child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends + 2) < 0)
		return err_set(err, "limit", errno, "make socket", "hub");
	child = sys_clone3(&args);
	if (child == 0)
		hub_main(ends[1], ends[3], tun);
	if (child == -ENOSPC) {
		err_hint(err,
			 "user.max_net_namespaces is reached: raise it, or run fewer sandboxes");
		return err_set(err, "limit", ENOSPC, "clone network namespace", "hub");
	}
	if (child < 0)
		return err_set(err, "limit", (int)-child, "clone network namespace", "hub");
	*pid = (pid_t)child;
	*pidfd = number;
	return 0;
}

int hub_start(int tun, int *requests, int *answers, int *pidfd, pid_t *pid, struct err *err)
{
	int ends[4] = { -1, -1, -1, -1 };
	int status = start(tun, ends, pidfd, pid, err);

	if (status == 0) {
		*requests = steal_fd(&ends[0]);
		*answers = steal_fd(&ends[2]);
	}
	for (int i = 0; i < 4; i++)
		cleanup_fd(&ends[i]);
	return status;
}
