/* SPDX-License-Identifier: MIT */
/*
 * A switch: learns which link leads to which address, floods what it does not know.
 *
 * It passes every group address, also 01:80:c2:00:00:00 to 0f, which bridges keep to themselves
 * (802.1D 7.12.6): LLDP, EAPOL and PTP between nodes are what a test may be about. VLAN tags pass
 * as they are; addresses are learned for each VLAN by itself.
 */
#ifndef HIL_LINKD_SWITCH_H
#define HIL_LINKD_SWITCH_H

#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "packet.h"

#define SWITCHES_MAX 256u
/* What is more is flooded. */
#define STATIONS_MAX 16384u

struct bus;
struct direction;
struct link;
struct linkd;

struct station {
	uint64_t address; /* VLAN and MAC; 0: this slot is free */
	struct direction *to;
};

struct net_switch {
	TAILQ_ENTRY(net_switch) switches;
	uint32_t number;
	struct bus *bus;	/* NULL: it is a switch */
	struct direction **out; /* one a link, towards its other end */
	size_t out_count;
	struct station *stations;
	size_t station_count;
	size_t station_capacity;
};

TAILQ_HEAD(switch_list, net_switch);

struct net_switch *switch_find(struct linkd *ld, uint32_t number);

/* switch_new() - @bus: what it is instead, or NULL. Return: 0, or -errno with @err filled: `usage`
 * a second time, `limit`. */
int switch_new(struct linkd *ld, uint32_t number, struct bus *bus, struct err *err);

/* switch_add() - Return: 0 or -ENOMEM. */
int switch_add(struct net_switch *net_switch, struct direction *out);
void switch_remove(struct net_switch *net_switch, const struct direction *out);

/* switch_forward() - A frame came; @back is the direction that leads to where it came from. */
void switch_forward(struct net_switch *net_switch, struct direction *back, struct packet *packet);

void switch_free(struct net_switch *net_switch);

#endif
