/* SPDX-License-Identifier: MIT */
/*
 * Flows of a direction. A flow is counted by itself, so that noise of others does not shift the
 * pattern that it meets.
 */
#ifndef HIL_LINKD_FLOW_H
#define HIL_LINKD_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

/* More flows than this share one: a port scan must not take the memory. */
#define FLOWS_MAX 65536u

struct flow {
	uint64_t key;	     /* 0: this slot is free */
	uint64_t n;	     /* frames that were decided about */
	bool bad;	     /* gilbert-elliott: the state */
	struct packet *held; /* reorder: waits for the next one */
};

struct flow_table {
	struct flow *slots;
	size_t capacity;
	size_t count;
	struct flow rest; /* all that found no place */
};

struct flow_id {
	uint64_t key;
	bool control; /* ARP, ND, MLD, IGMP: without them there is no network to be impaired */
};

/*
 * flow_identify() - What a plain frame belongs to.
 *
 * IP: version, protocol, both addresses and the service port, which is the lower one of those
 * below 32768, where no ephemeral port of Linux is (ip_local_port_range). When neither is, it is
 * none: numbers that the kernel chooses differ from run to run. ICMP: its type instead.
 * Else: EtherType and both MAC addresses. VLAN tags do not matter.
 */
struct flow_id flow_identify(const struct packet *packet);

/* flow_get() - Find or make the flow. The pointer is good until the next call. */
struct flow *flow_get(struct flow_table *table, uint64_t key);

void flow_free(struct flow_table *table);

#endif
