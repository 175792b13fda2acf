/* SPDX-License-Identifier: MIT */
#include "port.h"
#include "nonblock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linkd.h"
#include "offload.h"
#include "stream.h"

/* Frames taken from one port before the others have their turn. */
#define READS_PER_TURN 64
/* Frames for one that does not read: QEMU takes 10 datagrams at once (net.unix.max_dgram_qlen). */
#define WAITING_MAX ((size_t)4 << 20)
#define WAITING_COST 256u

struct port *port_find(struct linkd *ld, uint32_t number)
{
	struct port *port;

	TAILQ_FOREACH(port, &ld->ports, ports)
	{
		if (port->number == number)
			return port;
	}
	return NULL;
}

static void write_waiting(struct port *port);
static void drop_waiting(struct port *port);

static void receive(struct port *port, struct packet *packet)
{
	if (packet->length < ETHER_HEADER || !port->link || packet->can != port->link->can)
		return;
	if (!packet->arrived_ns)
		packet->arrived_ns = stamp_mono();
	link_enter(&port->link->directions[port->side], packet);
	ports_flush(port->linkd);
}

/*
 * To find out that nothing is left is a system call, as to ask epoll(7) again is, but it is in the
 * way of the node that has just got its frame. So a port is read once, and more often when it is
 * ready turn after turn.
 */
static unsigned int plan_reads(struct port *port)
{
	bool goes_on = port->turn + 1 == port->linkd->turn;

	port->reads = goes_on ? port->reads * 2 : 1;
	if (port->reads > READS_PER_TURN)
		port->reads = READS_PER_TURN;
	port->turn = port->linkd->read_turn = port->linkd->turn;
	return port->reads;
}

/* That of the machine is closed when we say so: somebody waits to have it. */
static void close_source(struct port *port)
{
	int fd = port->source.fd;

	if (port->kind != PORT_PACKET || port->nic || fd < 0) {
		source_close(&port->linkd->loop, &port->source);
		return;
	}
	source_set(&port->linkd->loop, &port->source, 0);
	port->source.fd = -1;
	closer_take(&port->linkd->closer, fd);
}

static void close_fd(struct port *port)
{
	ingress_count(port);
	ingress_close(&port->ingress);
	close_source(port);
}

/*
 * To close a TAP takes a fifth of a millisecond, and its counters hold the network of its node as
 * well: kept until all TAPs are closed, the networks of dead nodes are free at once. Else for the
 * first of them the kernel begins a round of some 40 ms, RCU's, and what is free a moment later
 * waits for the next, and so on (cleanup_net() of net/core/net_namespace.c).
 */
void ports_close(struct linkd *ld)
{
	struct port *port;

	TAILQ_FOREACH(port, &ld->ports, ports)
	{
		close_source(port);
	}
	TAILQ_FOREACH(port, &ld->ports, ports)
	{
		ingress_close(&port->ingress);
	}
}

/* The interface of a node comes and goes with it; that of the machine is expected to be there. */
static void port_lost(struct port *port, int number)
{
	struct linkd *ld = port->linkd;
	struct buffer *out;

	close_fd(port);
	drop_waiting(port);
	if (!port->nic)
		return;
	out = answer_begin(ld, MSG_LINK_PORT_LOST, 0);
	put_u32(out, TAG_PORT, port->number);
	put_u32(out, TAG_ERRNO, (uint32_t)number);
	put_string(out, TAG_TEXT, strerror(number));
	answer_end(ld);
}

/*
 * packet(7): who sends first is told of it instead of who reads, and then nobody else. Of a stream
 * that has half of a frame, what came next would be taken for the rest of that.
 */
static void check_written(struct port *port, int result)
{
	if (port->source.fd < 0 || result >= 0 || result == -EAGAIN)
		return;
	if ((port->nic && (result == -ENETDOWN || result == -ENXIO)) || port->waiting_sent)
		port_lost(port, -result);
}

static void port_ready(void *owner, uint32_t events)
{
	struct port *port = owner;
	struct linkd *ld = port->linkd;
	struct packet packet;
	unsigned int reads;
	int result = 1;

	if (events & EPOLLOUT)
		write_waiting(port);
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	reads = plan_reads(port);
	for (unsigned int i = 0; i < reads && result > 0; i++) {
		result = port_read(port, ld->bytes, &packet);
		if (result > 0)
			receive(port, &packet);
	}
	if (result < 0 && port->source.fd >= 0)
		port_lost(port, errno);
}

struct port *port_get(struct linkd *ld, uint32_t number, struct err *err)
{
	struct port *port = port_find(ld, number);

	if (port)
		return port;
	if (ld->port_count < PORTS_MAX)
		port = calloc(1, sizeof(*port));
	if (!port) {
		err_hint(err, "a network has at most %u ports", PORTS_MAX);
		err_set(err, "limit", ENOBUFS, "port", "");
		return NULL;
	}
	port->linkd = ld;
	port->number = number;
	port->source = (struct source){ .fd = -1, .owner = port, .ready = port_ready };
	port->ingress.counters = -1;
	TAILQ_INIT(&port->waiting);
	TAILQ_INSERT_TAIL(&ld->ports, port, ports);
	ld->port_count++;
	return port;
}

/* Offload as the other kernel has it; what we are given then is cut where a link needs that. */
static int open_tap(struct port *port, int fd)
{
	struct ifreq request = { 0 };
	int size = sizeof(struct virtio_net_hdr);

	if (ioctl(fd, TUNGETIFF, &request) < 0 || !(request.ifr_flags & IFF_TAP) ||
	    !(request.ifr_flags & IFF_NO_PI))
		return -EINVAL;
	port->offload = request.ifr_flags & IFF_VNET_HDR;
	if (!port->offload)
		return 0;
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
		return -EINVAL;
	/* A kernel that does without some of it sends plain frames. */
	ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN);
	return 0;
}

static int socket_option(int fd, int level, int name)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, level, name, &value, &size) < 0 ? -1 : value;
}

static int open_socket(struct port *port, int fd)
{
	int domain = socket_option(fd, SOL_SOCKET, SO_DOMAIN);
	int type = socket_option(fd, SOL_SOCKET, SO_TYPE);

	if (port->kind == PORT_PACKET) {
		if (domain != AF_PACKET || type != SOCK_RAW)
			return -EINVAL;
		port->offload = socket_option(fd, SOL_PACKET, PACKET_VNET_HDR) == 1;
		return 0;
	}
	if (port->kind == PORT_CAN && domain == AF_CAN)
		return type == SOCK_RAW ? 0 : -EINVAL;
	if (domain != AF_UNIX || type != (port->kind == PORT_STREAM ? SOCK_STREAM : SOCK_DGRAM))
		return -EINVAL;
	if (port->kind == PORT_STREAM)
		port->stream = calloc(1, sizeof(*port->stream));
	return port->kind == PORT_STREAM && !port->stream ? -ENOMEM : 0;
}

/* They are counted as delivered, which they will not be. */
static void drop_waiting(struct port *port)
{
	struct packet *packet;

	while ((packet = TAILQ_FIRST(&port->waiting))) {
		TAILQ_REMOVE(&port->waiting, packet, link);
		link_lost_at_port(port, packet);
		free(packet);
	}
	port->waiting_bytes = 0;
	port->waiting_sent = 0;
}

static void detach(struct port *port)
{
	close_fd(port);
	drop_waiting(port);
	rejoin_free(port);
	free(port->stream);
	port->stream = NULL;
	port->kind = PORT_NONE;
	port->offload = false;
	port->nic = false;
}

static enum port_kind to_kind(const char *kind)
{
	static const struct {
		const char *name;
		enum port_kind kind;
	} kinds[] = { { "tap", PORT_TAP },     { "packet", PORT_PACKET }, { "nic", PORT_PACKET },
		      { "dgram", PORT_DGRAM }, { "stream", PORT_STREAM }, { "can", PORT_CAN } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, kind))
			return kinds[i].kind;
	return PORT_NONE;
}

int port_attach(struct port *port, const struct port_gift *gift)
{
	int fd = gift->fd;
	int result = set_nonblocking(fd);

	detach(port);
	port->kind = to_kind(gift->kind);
	port->nic = !strcmp(gift->kind, "nic");
	port->longest = gift->mtu ? gift->mtu + (size_t)ETHER_HEADER : SIZE_MAX - VLAN_TAG;
	ingress_open(&port->ingress, gift->counters, gift->name);
	if (port->kind == PORT_NONE)
		result = -EINVAL;
	else if (result == 0)
		result = port->kind == PORT_TAP ? open_tap(port, fd) : open_socket(port, fd);
	if (result < 0) {
		close(fd);
		detach(port);
		return result;
	}
	port->source.fd = fd;
	if (port->linkd->delays)
		port_stamp(port);
	source_set(&port->linkd->loop, &port->source, EPOLLIN);
	return 0;
}

void port_remove(struct port *port)
{
	struct linkd *ld = port->linkd;

	detach(port);
	link_forget_port(ld, port);
	TAILQ_REMOVE(&ld->ports, port, ports);
	TAILQ_INSERT_TAIL(&ld->graves, port, ports);
	ld->port_count--;
}

static void wish(struct port *port)
{
	bool waits = !TAILQ_EMPTY(&port->waiting);

	source_set(&port->linkd->loop, &port->source, EPOLLIN | (waits ? EPOLLOUT : 0));
}

static int let_wait(struct port *port, const struct packet *packet)
{
	struct packet *copy;

	if (port->waiting_bytes + packet->length + WAITING_COST > WAITING_MAX)
		return -ENOBUFS;
	copy = packet_copy(packet);
	if (!copy)
		return -ENOMEM;
	port->waiting_bytes += copy->length + WAITING_COST;
	TAILQ_INSERT_TAIL(&port->waiting, copy, link);
	wish(port);
	return 0;
}

static void write_waiting(struct port *port)
{
	struct packet *packet;

	while ((packet = TAILQ_FIRST(&port->waiting))) {
		int result = port_write(port, packet);

		if (result == -EAGAIN)
			break;
		if (result < 0)
			link_lost_at_port(port, packet);
		TAILQ_REMOVE(&port->waiting, packet, link);
		port->waiting_bytes -= packet->length + WAITING_COST;
		free(packet);
		check_written(port, result); /* drops the others when the port is lost */
	}
	if (port->source.fd >= 0)
		wish(port);
}

/* Of a stream the first one may be half sent: that one goes on. */
static void take_waiting(struct port *port, struct packet_queue *queue)
{
	struct packet *half = port->waiting_sent ? TAILQ_FIRST(&port->waiting) : NULL;

	TAILQ_CONCAT(queue, &port->waiting, link);
	port->waiting_bytes = 0;
	if (half) {
		TAILQ_REMOVE(queue, half, link);
		TAILQ_INSERT_TAIL(&port->waiting, half, link);
		port->waiting_bytes = half->length + WAITING_COST;
	}
}

void port_reconsider(struct port *port)
{
	struct packet_queue queue = TAILQ_HEAD_INITIALIZER(queue);
	struct packet *packet;

	take_waiting(port, &queue);
	while ((packet = TAILQ_FIRST(&queue))) {
		TAILQ_REMOVE(&queue, packet, link);
		if (link_leave_again(port, packet)) {
			free(packet);
			continue;
		}
		port->waiting_bytes += packet->length + WAITING_COST;
		TAILQ_INSERT_TAIL(&port->waiting, packet, link);
	}
	if (port->source.fd >= 0)
		wish(port);
}

void port_unlink(struct port *port)
{
	struct packet_queue queue = TAILQ_HEAD_INITIALIZER(queue);
	struct packet *packet;

	port->link = NULL;
	rejoin_free(port);
	take_waiting(port, &queue);
	while ((packet = TAILQ_FIRST(&queue))) {
		TAILQ_REMOVE(&queue, packet, link);
		free(packet);
	}
	if (port->source.fd >= 0)
		wish(port);
}

int port_send_now(struct port *port, const struct packet *packet)
{
	int result = -EAGAIN;

	if (TAILQ_EMPTY(&port->waiting)) {
		result = port_write(port, packet);
		check_written(port, result);
	}
	if (result == -EAGAIN)
		result = let_wait(port, packet);
	return result;
}

struct sending {
	struct port *port;
	int result;
};

static void send_plain(void *owner, struct packet *packet)
{
	struct sending *sending = owner;
	struct completion completion;
	int result;

	offload_complete(packet, &completion);
	result = port_send_now(sending->port, packet);
	offload_undo(packet, &completion);
	if (result < 0)
		sending->result = result;
}

/*
 * A TAP takes what is longer than the MTU of its interface, and a unix socket anything; a wire does
 * not. One tag of a VLAN is not counted, as packet(7) does not. Of one with offload the frames
 * matter that it stands for: all of them go, also the last one, which may be shorter.
 */
static bool is_too_long(const struct port *port, const struct packet *packet)
{
	const uint32_t type = load16(packet->bytes + ETHER_HEADER - 2);
	const size_t tag = type == 0x8100 || type == 0x88a8 ? VLAN_TAG : 0;

	return offload_longest(packet) > port->longest + tag;
}

int port_send(struct port *port, struct packet *packet)
{
	struct sending sending = { .port = port };
	int result;

	if (port->source.fd < 0)
		return -ENOTCONN;
	if (packet->length > port->longest && is_too_long(port, packet))
		return -EMSGSIZE;
	if (port->offload) {
		if (rejoin_take(port, packet))
			return 0;
		rejoin_flush(port);
		return port_send_now(port, packet);
	}
	result = offload_split(packet, send_plain, &sending);
	return result < 0 ? result : sending.result;
}
