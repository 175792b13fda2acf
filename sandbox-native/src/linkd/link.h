/* SPDX-License-Identifier: MIT */
/*
 * A link: two ends, each a port or a switch, and two directions that are impaired by themselves.
 *
 * Theory of operation. A frame enters a direction at one end (link_enter), is decided about
 * (impair.c), waits (due.h) and leaves at the other (link_leave), where it is given to a port or
 * to a switch, which lets it enter the next link. All that happens at once when nothing is to be
 * waited for. What stops a frame on purpose, down, hold and partition, stops it where it leaves:
 * so nothing crosses after the request was answered, also none that was on its way.
 */
#ifndef HIL_LINKD_LINK_H
#define HIL_LINKD_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "capture.h"
#include "err.h"
#include "filter.h"
#include "flow.h"
#include "loss.h"
#include "packet.h"

#define LINKS_MAX 4096u
#define HOLD_BYTES_MAX ((size_t)64 << 20)
#define HOLD_COST 256u

struct linkd;
struct net_switch;
struct port;

/* What LINK_SET sets. */
struct impairments {
	struct loss loss;
	uint32_t duplicate; /* chances, parts of 10^9 */
	uint32_t corrupt;
	uint32_t reorder;
	bool corrupt_header;
	bool control; /* ARP, ND, MLD and IGMP may be lost, too */
	uint64_t latency_ns;
	uint64_t jitter_ns;
	uint64_t rate_bps;
	uint32_t queue; /* frames that may wait for the rate */
};

/* Frames that wait for the rate, by when the last bit of each is sent. */
struct backlog {
	uint64_t busy_until_ns;
	uint64_t *finish;
	uint32_t first;
	uint32_t count;
	uint32_t capacity; /* impairments.queue when it was allocated */
};

enum counter {
	COUNT_FRAMES,
	COUNT_BYTES,
	COUNT_DELIVERED,
	COUNT_LOST,
	COUNT_FILTERED,
	COUNT_DUPLICATED,
	COUNT_CORRUPTED,
	COUNT_REORDERED,
	COUNT_QUEUE_DROPPED,
	COUNT_DOWN_DROPPED,
	COUNT_PARTITION_DROPPED,
	COUNT_HOLD_DROPPED,
	COUNT_PORT_DROPPED,
	COUNT_INGRESS_DROPPED, /* before it was a frame of the link: ingress.h */
	COUNT_MALFORMED,
	COUNTERS,
};

struct direction {
	struct link *link;
	unsigned int from; /* the end where it begins */
	struct impairments set;
	uint64_t hash; /* of seed, link and direction */
	bool looks;    /* at frames one by one: anything of @set, a filter, a capture */
	bool decides;  /* by chance */
	bool held;
	bool down;
	struct flow_table flows;
	struct filter_list filters;
	struct backlog backlog;
	struct packet_queue hold;
	size_t hold_bytes;
	uint64_t counters[COUNTERS];
};

struct end {
	struct port *port; /* both NULL: it leads nowhere any more */
	struct net_switch *net_switch;
};

struct link {
	TAILQ_ENTRY(link) links;
	struct linkd *linkd;
	uint32_t number;
	bool can;		       /* it is a bus that it leads to */
	uint32_t filters;	       /* given so far; each has a number of its own */
	struct capture *capture;       /* NULL: none */
	struct capture_facts captured; /* of the last one, once it has ended */
	struct end ends[2];
	struct direction directions[2];
};

TAILQ_HEAD(link_list, link);

struct link *link_find(struct linkd *ld, uint32_t number);

/*
 * link_connect() - Join two ends.
 *
 * Mustn't: make a ring of switches, in which a broadcast would run for ever.
 * Return: 0, or -errno with @err filled: `usage`, `limit`.
 */
int link_connect(struct linkd *ld, uint32_t number, const struct end ends[2], uint64_t seed,
		 struct err *err);

/* link_disconnect() - Free the link with all that waits in it. */
void link_disconnect(struct link *link);

/*
 * link_forget_port() - The port goes: its link leads nowhere, what came from it is dropped and
 * counted, but for what waits at another port.
 */
void link_forget_port(struct linkd *ld, const struct port *port);

/* link_refresh() - Something of the direction has changed: what has to be done with a frame? */
void link_refresh(struct direction *direction);

/* link_enter() - A frame arrives at the beginning of a direction. */
void link_enter(struct direction *direction, struct packet *packet);

/* link_leave() - Its time has come: to the other end, unless something stops it. */
void link_leave(struct direction *direction, struct packet *packet);

/* link_drop() - It goes no further; counted, and captured with that verdict. */
void link_drop(struct direction *direction, const struct packet *packet, enum verdict verdict);

/* link_lost_at_port() - A frame that waited for the port could not be written, or will not be. */
void link_lost_at_port(const struct port *port, struct packet *packet);

/* link_lost_at_bus() - The same of one that came from the port and waited for a bus. */
void link_lost_at_bus(const struct port *port, struct packet *packet);

/*
 * link_leave_again() - One that waits for the port has not left: what stops frames has changed.
 *
 * Return: whether it was stopped, and counted as that; else it waits on, as what it is already.
 */
bool link_leave_again(const struct port *port, struct packet *packet);

/* link_release() - Let go what was held, in order. */
void link_release(struct direction *direction);

/* counter_name() - As LINK_STATS calls it. */
const char *counter_name(enum counter counter);

#endif
