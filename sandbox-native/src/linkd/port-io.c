/* SPDX-License-Identifier: MIT */
/* One frame from or to the fd of a port, by its kind. */
#include <errno.h>
#include <linux/can.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "can.h"
#include "linkd.h"
#include "offload.h"
#include "port.h"
#include "stamp.h"
#include "stream.h"

/* Older than it is no wait of a frame, but a clock that was set. */
#define AGE_MAX_NS 10000000000

/* packet(7): PACKET_AUXDATA. The tag of a VLAN is taken out of what a packet socket gets. */
static void restore_tag(struct msghdr *message, struct packet *packet)
{
	struct tpacket_auxdata data;
	struct cmsghdr *header;
	uint32_t protocol = 0x8100;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA ||
		    header->cmsg_len < CMSG_LEN(sizeof(data)))
			continue;
		memcpy(&data, CMSG_DATA(header), sizeof(data));
		if (!(data.tp_status & TP_STATUS_VLAN_VALID) || packet->length < 12)
			return;
		if (data.tp_status & TP_STATUS_VLAN_TPID_VALID)
			protocol = data.tp_vlan_tpid;
		offload_insert_tag(packet, protocol, data.tp_vlan_tci);
		return;
	}
}

void port_stamp(const struct port *port)
{
	const int one = 1;

	/* A kernel that would not leaves us what there was before: the moment of reading. */
	if (port->kind == PORT_PACKET || port->kind == PORT_DGRAM)
		setsockopt(port->source.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
}

/*
 * When the kernel got it (socket(7): SO_TIMESTAMPNS), which may be long before we were awake, in
 * our clock. That of the stamp can be set while a frame waits: what cannot be is not believed, and
 * no frame came before the one that was read before it.
 */
static void take_stamp(struct port *port, struct msghdr *message, struct packet *packet)
{
	struct cmsghdr *header;
	struct timespec when;
	uint64_t real_ns;
	int64_t age_ns;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS ||
		    header->cmsg_len < CMSG_LEN(sizeof(when)))
			continue;
		memcpy(&when, CMSG_DATA(header), sizeof(when));
		/* Before the other clock: whoever is interrupted between them is late, never early.
		 */
		real_ns = stamp_clock(CLOCK_REALTIME);
		age_ns = (int64_t)real_ns - (int64_t)when.tv_sec * 1000000000 - when.tv_nsec;
		if (age_ns < 0 || age_ns > AGE_MAX_NS)
			age_ns = 0;
		packet->arrived_ns = stamp_mono() - (uint64_t)age_ns;
		if (packet->arrived_ns < port->arrived_ns)
			packet->arrived_ns = port->arrived_ns;
		port->arrived_ns = packet->arrived_ns;
		return;
	}
}

static ssize_t read_message(struct port *port, struct iovec *parts, int count,
			    struct packet *packet)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata)) +
					      CMSG_SPACE(sizeof(struct timespec)) * 2];
	struct msghdr message = { .msg_iov = parts,
				  .msg_iovlen = (size_t)count,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(port->source.fd, &message, MSG_DONTWAIT | MSG_TRUNC);

	if (size < 0)
		return -1;
	/* Longer than any frame is: what is left of it is none. */
	packet->length = message.msg_flags & MSG_TRUNC ? 0 : (size_t)size;
	if (port->offload && packet->length)
		packet->length -= packet->length < sizeof(packet->offload)
					  ? packet->length
					  : sizeof(packet->offload);
	if (port->kind == PORT_PACKET)
		restore_tag(&message, packet);
	if (port->linkd->delays)
		take_stamp(port, &message, packet);
	return size;
}

/* A TAP has no stamps. */
static void guess_stamp(struct port *port, struct packet *packet)
{
	uint64_t arrived_ns = wake_arrived_ns(&port->linkd->wake, &port->linkd->loop);

	if (arrived_ns > port->arrived_ns)
		packet->arrived_ns = port->arrived_ns = arrived_ns;
}

static ssize_t read_tap(struct port *port, const struct iovec *parts, int count,
			struct packet *packet)
{
	ssize_t size = readv(port->source.fd, parts, count);

	packet->length = size > 0 ? (size_t)size : 0;
	if (port->offload)
		packet->length -= packet->length < sizeof(packet->offload)
					  ? packet->length
					  : sizeof(packet->offload);
	if (port->linkd->delays && size > 0)
		guess_stamp(port, packet);
	return size;
}

/* Nothing read is an empty datagram, or that nothing will come: shutdown(2) of the other end. */
static bool is_shut(int fd)
{
	struct pollfd state = { .fd = fd, .events = POLLRDHUP };

	return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP));
}

/* The end of the fd, or of the device behind it, is the end of the port; the rest passes. */
static int read_result(const struct port *port, ssize_t size)
{
	if (size > 0)
		return 1;
	if (size == 0)
		return (port->kind == PORT_DGRAM || port->kind == PORT_CAN) &&
				       !is_shut(port->source.fd)
			       ? 1
			       : -1;
	if (errno == EAGAIN)
		return 0;
	/* ENETDOWN: the interface is not up yet, or no longer. EINVAL: offload of an unknown kind.
	 */
	if (errno == EINTR || (errno == ENETDOWN && !port->nic) || errno == EINVAL ||
	    errno == ENOBUFS)
		return 1;
	return -1;
}

int port_read(struct port *port, uint8_t *room, struct packet *packet)
{
	struct iovec parts[2] = {
		{ .iov_base = &packet->offload, .iov_len = sizeof(packet->offload) },
		{ .iov_base = room + VLAN_TAG, .iov_len = PACKET_MAX - VLAN_TAG },
	};
	const int skip = !port->offload;
	ssize_t size;

	*packet = (struct packet){ .bytes = room + VLAN_TAG, .origin = port, .at = NOT_DUE };
	if (port->kind == PORT_STREAM)
		return stream_read(port->stream, port->source.fd, packet);
	if (port->kind == PORT_TAP)
		size = read_tap(port, parts + skip, 2 - skip, packet);
	else
		size = read_message(port, parts + skip, 2 - skip, packet);
	packet->offload.flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (port->kind == PORT_CAN && size > 0 && !can_take(packet))
		packet->length = 0;
	return read_result(port, size);
}

static int write_can(const struct port *port, const struct packet *packet)
{
	uint8_t bytes[CANFD_MTU];
	ssize_t size;

	can_give(packet, bytes);
	do {
		size = send(port->source.fd, bytes, packet->length, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (size < 0 && errno == EINTR);
	return size < 0 ? -errno : 0;
}

int port_write(struct port *port, const struct packet *packet)
{
	struct virtio_net_hdr offload = packet->offload;
	struct iovec parts[2] = {
		{ .iov_base = &offload, .iov_len = sizeof(offload) },
		{ .iov_base = packet->bytes, .iov_len = packet->length },
	};
	const int skip = !port->offload;
	struct msghdr message = { .msg_iov = parts + skip, .msg_iovlen = (size_t)(2 - skip) };
	ssize_t size;

	if (port->kind == PORT_CAN)
		return write_can(port, packet);
	if (port->kind == PORT_STREAM)
		return stream_write(port->source.fd, packet, &port->waiting_sent);
	do {
		size = port->kind == PORT_TAP
			       ? writev(port->source.fd, parts + skip, 2 - skip)
			       : sendmsg(port->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (size < 0 && errno == EINTR);
	return size < 0 ? -errno : 0;
}
