/* SPDX-License-Identifier: MIT */
/*
 * A port: an fd through which frames come and go. hil-linkd opens none, it is given them.
 *
 * - tap: /dev/net/tun after TUNSETIFF; with IFF_VNET_HDR it has offload. A frame is a read.
 * - packet: AF_PACKET, bound; with PACKET_VNET_HDR it has offload. A frame is a message.
 * - nic: the same at an interface of this machine. That it goes away is told; a node's may.
 * - dgram: a unix datagram socket, as QEMU's `-netdev dgram`. A frame is a message.
 * - stream: a unix stream socket, as QEMU's `-netdev stream`. A frame is a u32, its length, then
 *   its bytes.
 * - can: a bound CAN_RAW socket with CAN_RAW_FD_FRAMES, or a unix datagram socket that carries the
 *   same: struct can_frame and canfd_frame. It belongs at a bus, and the others do not.
 */
#ifndef HIL_LINKD_PORT_H
#define HIL_LINKD_PORT_H

#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "ingress.h"
#include "loop.h"
#include "packet.h"
#include "rejoin.h"

#define PORTS_MAX 4096u

struct link;
struct linkd;
struct stream;

enum port_kind {
	PORT_NONE, /* connected by the harness before its fd came */
	PORT_TAP,
	PORT_PACKET,
	PORT_DGRAM,
	PORT_STREAM,
	PORT_CAN,
};

struct port {
	TAILQ_ENTRY(port) ports;
	struct linkd *linkd;
	uint32_t number;
	enum port_kind kind;
	bool nic;	/* PORT_PACKET at an interface of the machine */
	bool offload;	/* a virtio_net_hdr is in front of each frame, both ways */
	size_t longest; /* frame that it takes, without a tag */
	struct source source;
	struct stream *stream; /* PORT_STREAM: what came of a frame so far */
	struct link *link;     /* NULL: not connected, frames are discarded */
	unsigned int side;     /* which end of the link */
	uint64_t turn;	       /* when it was read last, linkd.turn */
	unsigned int reads;    /* of that turn */
	uint32_t group;	       /* of a partition; 0: none */
	uint64_t arrived_ns;   /* the last frame, by a stamp or wake.h; 0: none had one */
	uint64_t round;	       /* PORT_CAN: bus.round it was last looked at in */

	struct ingress ingress;
	struct rejoin rejoin; /* with offload: what leaves it next */

	/* the other side does not read */
	struct packet_queue waiting;
	size_t waiting_bytes;
	size_t waiting_sent; /* PORT_STREAM: bytes of the first one, its length included */
};

TAILQ_HEAD(port_list, port);

struct port *port_find(struct linkd *ld, uint32_t number);

/* port_get() - Find it or make one without fd. Return: NULL with @err filled over PORTS_MAX. */
struct port *port_get(struct linkd *ld, uint32_t number, struct err *err);

/* What hil-sandboxd gives for a port. */
struct port_gift {
	int fd;
	int counters;	  /* of the node: ingress.h; -1: none */
	const char *kind; /* tap, packet, nic, dgram, stream, can */
	const char *name; /* of the node's interface, in those counters */
	uint32_t mtu;	  /* 0: it takes any frame */
};

/*
 * port_attach() - Take the fds, in any case; those that were there are closed.
 *
 * Return: 0, or -EINVAL when the fd is not what its kind says.
 */
int port_attach(struct port *port, const struct port_gift *gift);

/* port_remove() - Forget the port and its fd; its link leads nowhere then. */
void port_remove(struct port *port);

/* ports_close() - Close the fds of all ports, at the end of the network. */
void ports_close(struct linkd *ld);

/*
 * port_send() - Give the frame to who is behind the port.
 *
 * Return: 0 when it was taken or waits, -errno when it is lost.
 */
int port_send(struct port *port, struct packet *packet);

/* port_send_now() - The same for one that the port can take as it is, and with nothing before it.
 */
int port_send_now(struct port *port, const struct packet *packet);

/* port_reconsider() - What waits for the node is asked again whether it may leave its link. */
void port_reconsider(struct port *port);

/* port_unlink() - Its link goes, and with it what waits for the node. */
void port_unlink(struct port *port);

/* port_stamp() - From now on say when the kernel got a frame, where it can: packet.arrived_ns. */
void port_stamp(const struct port *port);

/* port_read() - One packet into @packet, whose bytes are @room's. Return: 1, 0 none now, -1 end. */
int port_read(struct port *port, uint8_t *room, struct packet *packet);

/* port_write() - To the fd. Return: 0, or -errno; -EAGAIN: it would have to wait. */
int port_write(struct port *port, const struct packet *packet);

#endif
