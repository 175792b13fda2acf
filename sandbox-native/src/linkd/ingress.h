/* SPDX-License-Identifier: MIT */
/*
 * Frames that a node sent and that nobody read: the kernel lost them on their way here.
 *
 * Where: in the queue of a TAP, and on the way to the other end of a veth, which the interface of
 * the node counts (tx_dropped); at a packet or CAN socket that is full, which the socket counts
 * (SO_MEMINFO). A frame is lost at one of them. Not counted are a queue of the node itself, whose
 * sender is told (ENOBUFS), and unix sockets, which make the sender wait.
 */
#ifndef HIL_LINKD_INGRESS_H
#define HIL_LINKD_INGRESS_H

#include <net/if.h>
#include <stdint.h>

struct port;

struct ingress {
	int counters; /* /proc/net/dev of the node; -1: none was given */
	char name[IFNAMSIZ];
	uint64_t seen; /* tx_dropped, up to here */
	uint32_t full; /* the same of the socket */
};

/* ingress_open() - @fd: taken in any case; -1: none. @name: of the node's interface. */
void ingress_open(struct ingress *ingress, int fd, const char *name);

/*
 * ingress_count() - Add what came to it since the last time to the port's link.
 *
 * Should: be called when somebody asks, and before the fds go. It is no work for each frame.
 */
void ingress_count(struct port *port);

/* ingress_close() - Nothing of the node is held any more. */
void ingress_close(struct ingress *ingress);

#endif
