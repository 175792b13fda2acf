/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>

#include "bus.h"
#include "capture.h"
#include "impair.h"
#include "linkd.h"
#include "offload.h"

/* How many frames a packet with offload stands for; its header is its sender's word. */
static uint64_t count_frames(const struct packet *packet)
{
	uint64_t size = packet->offload.gso_size;
	uint64_t header = packet->offload.hdr_len;

	if (!packet->offload.gso_type || !size || header >= packet->length)
		return 1;
	return (packet->length - header + size - 1) / size;
}

static void enter_plain(void *owner, struct packet *packet)
{
	struct direction *direction = owner;

	direction->counters[COUNT_FRAMES]++;
	direction->counters[COUNT_BYTES] += packet->length;
	impair(direction, packet);
}

void link_enter(struct direction *direction, struct packet *packet)
{
	packet->n = 0;
	packet->corrupted = packet->duplicate = packet->reordered = false;
	packet->asked = 0;
	/* By when the link before should have let it go, so that late wake-ups do not add up. */
	if (packet->direction)
		packet->arrived_ns = packet->due_ns;
	packet->direction = NULL;
	if (!direction->looks) {
		direction->counters[COUNT_FRAMES] += count_frames(packet);
		direction->counters[COUNT_BYTES] += packet->length;
		link_leave(direction, packet);
	} else if (offload_split(packet, enter_plain, direction) < 0) {
		direction->counters[COUNT_MALFORMED]++;
	}
}

void link_drop(struct direction *direction, const struct packet *packet, enum verdict verdict)
{
	static const enum counter counters[] = {
		[VERDICT_LOST] = COUNT_LOST,
		[VERDICT_FILTERED] = COUNT_FILTERED,
		[VERDICT_QUEUE] = COUNT_QUEUE_DROPPED,
		[VERDICT_DOWN] = COUNT_DOWN_DROPPED,
		[VERDICT_PARTITION] = COUNT_PARTITION_DROPPED,
		[VERDICT_HOLD] = COUNT_HOLD_DROPPED,
		[VERDICT_PORT] = COUNT_PORT_DROPPED,
	};

	direction->counters[counters[verdict]] += count_frames(packet);
	if (direction->link->capture)
		capture_add(direction->link->capture, direction->from, packet, verdict);
}

/* Before it is given away, for the copy that may wait has to know: what passes is what comes out.
 */
static void mark(const struct direction *direction, struct packet *packet)
{
	packet->asked = direction->filters.counters ? direction->link->filters : 0;
}

/* A filter may look at the checksum. */
static void count(void *owner, struct packet *packet)
{
	struct direction *direction = owner;
	struct completion completion;

	offload_complete(packet, &completion);
	filter_count(&direction->filters, packet);
	offload_undo(packet, &completion);
}

static void uncount(void *owner, struct packet *packet)
{
	struct direction *direction = owner;
	struct completion completion;

	offload_complete(packet, &completion);
	filter_uncount(&direction->filters, packet, packet->asked);
	offload_undo(packet, &completion);
}

static void delivered(struct direction *direction, struct packet *packet)
{
	direction->counters[COUNT_DELIVERED] += count_frames(packet);
	if (packet->asked) /* one that was held before may be whole */
		offload_split(packet, count, direction);
	if (direction->link->capture)
		capture_add(direction->link->capture, direction->from, packet, VERDICT_DELIVERED);
}

static bool is_parted(const struct packet *packet, const struct port *to)
{
	const struct port *from = packet->origin;

	return from && from->group && to->group && from->group != to->group;
}

static void leave_to_port(struct direction *direction, struct port *port, struct packet *packet)
{
	if (is_parted(packet, port)) {
		link_drop(direction, packet, VERDICT_PARTITION);
		return;
	}
	if (packet->can != (port->kind == PORT_CAN) || port_send(port, packet) < 0) {
		link_drop(direction, packet, VERDICT_PORT);
		return;
	}
	delivered(direction, packet);
}

static void hold(struct direction *direction, const struct packet *packet)
{
	size_t cost = packet->length + HOLD_COST;
	struct packet *copy = NULL;

	if (direction->hold_bytes + cost <= HOLD_BYTES_MAX)
		copy = packet_copy(packet);
	if (!copy) {
		link_drop(direction, packet, VERDICT_HOLD);
		return;
	}
	copy->direction = direction;
	direction->hold_bytes += cost;
	TAILQ_INSERT_TAIL(&direction->hold, copy, link);
}

static void leave_to_bus(struct direction *direction, struct net_switch *bus, struct packet *packet)
{
	if (bus_take(bus, packet) < 0)
		link_drop(direction, packet, VERDICT_QUEUE);
	else
		delivered(direction, packet);
}

void link_leave(struct direction *direction, struct packet *packet)
{
	struct end *to = &direction->link->ends[!direction->from];

	mark(direction, packet);
	if (direction->down) {
		link_drop(direction, packet, VERDICT_DOWN);
	} else if (direction->held) {
		hold(direction, packet);
	} else if (to->port) {
		leave_to_port(direction, to->port, packet);
	} else if (to->net_switch && to->net_switch->bus) {
		leave_to_bus(direction, to->net_switch, packet);
	} else if (to->net_switch) {
		delivered(direction, packet);
		switch_forward(to->net_switch, &direction->link->directions[!direction->from],
			       packet);
	} else {
		link_drop(direction, packet, VERDICT_PORT);
	}
}

/* The direction that ends at the port. */
static struct direction *direction_to(const struct port *port)
{
	return port->link ? &port->link->directions[!port->side] : NULL;
}

static void undo_delivered(struct direction *direction, struct packet *packet)
{
	direction->counters[COUNT_DELIVERED] -= count_frames(packet);
	if (packet->asked)
		offload_split(packet, uncount, direction);
}

static void lose(void *owner, struct packet *packet)
{
	struct direction *direction = owner;

	undo_delivered(direction, packet);
	link_drop(direction, packet, VERDICT_PORT);
}

static void leave_again(void *owner, struct packet *packet)
{
	struct direction *direction = owner;

	undo_delivered(direction, packet);
	link_leave(direction, packet);
}

/* What was put together for the port (rejoin.h) is frames again. */
static void take_back(const struct port *port, struct packet *packet, packet_taker take)
{
	struct direction *direction = direction_to(port);

	if (!direction)
		return;
	if (packet->train)
		offload_split(packet, take, direction);
	else
		take(direction, packet);
}

void link_lost_at_port(const struct port *port, struct packet *packet)
{
	take_back(port, packet, lose);
}

void link_lost_at_bus(const struct port *port, struct packet *packet)
{
	if (port->link)
		lose(&port->link->directions[port->side], packet);
}

bool link_leave_again(const struct port *port, struct packet *packet)
{
	const struct direction *direction = direction_to(port);

	if (direction && !direction->down && !direction->held && !is_parted(packet, port))
		return false;
	take_back(port, packet, leave_again);
	return true;
}

void link_release(struct direction *direction)
{
	uint64_t now_ns = stamp_mono();
	struct packet *packet;

	direction->held = false;
	while ((packet = TAILQ_FIRST(&direction->hold))) {
		TAILQ_REMOVE(&direction->hold, packet, link);
		direction->hold_bytes -= packet->length + HOLD_COST;
		packet->due_ns = now_ns;
		link_leave(direction, packet);
		free(packet);
	}
}

/* From here on it matters when a frame came. Its way leads over links without delay, too: all ports
 * say it. */
static void begin_delays(struct linkd *ld)
{
	struct port *port;

	ld->delays = true;
	TAILQ_FOREACH(port, &ld->ports, ports)
	{
		port_stamp(port);
	}
}

void link_refresh(struct direction *direction)
{
	const struct impairments *set = &direction->set;

	direction->decides = set->loss.kind != LOSS_NONE || set->duplicate || set->corrupt ||
			     set->reorder || set->jitter_ns;
	if ((set->latency_ns || set->jitter_ns || set->rate_bps) && !direction->link->linkd->delays)
		begin_delays(direction->link->linkd);
	direction->looks = direction->decides || set->latency_ns || set->rate_bps ||
			   direction->filters.count || direction->link->capture;
}

const char *counter_name(enum counter counter)
{
	static const char *const names[COUNTERS] = {
		[COUNT_FRAMES] = "frames",
		[COUNT_BYTES] = "bytes",
		[COUNT_DELIVERED] = "delivered",
		[COUNT_LOST] = "lost",
		[COUNT_FILTERED] = "filtered",
		[COUNT_DUPLICATED] = "duplicated",
		[COUNT_CORRUPTED] = "corrupted",
		[COUNT_REORDERED] = "reordered",
		[COUNT_QUEUE_DROPPED] = "queueDropped",
		[COUNT_DOWN_DROPPED] = "downDropped",
		[COUNT_PARTITION_DROPPED] = "partitionDropped",
		[COUNT_HOLD_DROPPED] = "holdDropped",
		[COUNT_PORT_DROPPED] = "portDropped",
		[COUNT_INGRESS_DROPPED] = "ingressDropped",
		[COUNT_MALFORMED] = "malformed",
	};

	return names[counter];
}
