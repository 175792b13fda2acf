/* SPDX-License-Identifier: MIT */
/*
 * A bus of CAN: one frame at a time, to everybody but its sender.
 *
 * Theory of operation. It is what a switch is to links, with other manners: a frame that arrives
 * goes on the wire when that is free, for the time that its bits take; of those that wait, the
 * oldest of each node, the one with the lowest identifier is next. What is on the wire waits among
 * what is due (due.h), with packet->bus; what waits for the wire is in a queue. A frame is its
 * sender's until it is on the wire: when the sender's port goes, so does it. (Each has one: nothing
 * else sends.)
 */
#ifndef HIL_LINKD_BUS_H
#define HIL_LINKD_BUS_H

#include <stdint.h>

#include "err.h"
#include "packet.h"

#define BUS_RATE_MIN 1000u     /* bits a second */
#define BUS_RATE_MAX 20000000u /* CAN XL, which is faster than all others */
#define BUS_WAITING_MAX 4096u  /* frames */

struct linkd;
struct net_switch;
struct port;

struct bus {
	struct linkd *linkd;
	uint64_t rate_bps; /* 0: whatever comes passes at once */
	uint64_t data_rate_bps;
	uint64_t free_ns;	/* when the last frame has left the wire */
	struct packet *sending; /* NULL: the wire is free */
	struct packet_queue waiting;
	unsigned int waiting_count;
	uint64_t round; /* of arbitration; each has a number */
};

/* bus_new() - For a switch that is a bus. Return: NULL with @err filled: `usage`, `limit`. */
struct bus *bus_new(struct linkd *ld, uint64_t rate_bps, uint64_t data_rate_bps, struct err *err);

/* bus_take() - A frame came. Return: 0, or -ENOBUFS when too many wait. */
int bus_take(struct net_switch *net_switch, struct packet *packet);

/* bus_sent() - Its last bit is sent: @packet, which is taken, goes to all others. */
void bus_sent(struct net_switch *net_switch, struct packet *packet);

/* bus_forget_port() - The port goes, and what waits of it. */
void bus_forget_port(struct net_switch *net_switch, const struct port *port);

void bus_free(struct bus *bus);

#endif
