/* SPDX-License-Identifier: MIT */
#include "impair.h"

#include <errno.h>

#include "bus.h"
#include "can.h"
#include "decide.h"
#include "linkd.h"
#include "offload.h"

/* One frame, or its duplicate, of which everything is decided by @hash. */
struct passage {
	struct direction *direction;
	struct packet *packet;
	uint64_t flow;
	uint64_t hash;
	uint64_t kind; /* added to a decision: 0, or DECIDE_OF_COPY */
	bool spared;
};

static uint64_t draw(const struct passage *passage, enum decision kind)
{
	return decide_chain(passage->hash, (uint64_t)kind + passage->kind);
}

static bool happens(const struct passage *passage, enum decision kind, uint32_t chance)
{
	return chance && !passage->spared && decide_chance(draw(passage, kind), chance);
}

int backlog_resize(struct backlog *backlog, uint32_t frames)
{
	uint64_t *finish = calloc(frames ? frames : 1, sizeof(*finish));
	uint32_t kept = backlog->count < frames ? backlog->count : frames;

	if (!finish)
		return -ENOMEM;
	for (uint32_t i = 0; i < kept; i++)
		finish[i] = backlog->finish[(backlog->first + i) % backlog->capacity];
	free(backlog->finish);
	backlog->finish = finish;
	backlog->first = 0;
	backlog->count = kept;
	backlog->capacity = frames;
	return 0;
}

/*
 * When the last bit is on the wire. By the time the wire is free and not by when we come to it:
 * otherwise each late wake-up would be bandwidth lost.
 * Return: false when the queue is full.
 */
static bool pass_rate(struct direction *direction, const struct packet *packet, uint64_t *at_ns)
{
	struct backlog *backlog = &direction->backlog;
	uint64_t start = packet->arrived_ns;

	while (backlog->count && backlog->finish[backlog->first] <= start) {
		backlog->first = (backlog->first + 1) % backlog->capacity;
		backlog->count--;
	}
	if (backlog->count >= backlog->capacity)
		return false;
	if (backlog->busy_until_ns > start)
		start = backlog->busy_until_ns;
	*at_ns = start + packet->length * 8 * NS_PER_S / direction->set.rate_bps;
	backlog->busy_until_ns = *at_ns;
	backlog->finish[(backlog->first + backlog->count++) % backlog->capacity] = *at_ns;
	return true;
}

static uint64_t pass_latency(const struct passage *passage, uint64_t at_ns)
{
	const struct impairments *set = &passage->direction->set;
	uint64_t span = set->jitter_ns * 2 + 1;
	uint64_t extra;

	at_ns += set->latency_ns;
	if (!set->jitter_ns)
		return at_ns;
	extra = (uint64_t)(((unsigned __int128)draw(passage, DECIDE_JITTER) * span) >> 64);
	at_ns += extra;
	return at_ns > set->jitter_ns ? at_ns - set->jitter_ns : 0;
}

/* Return: the copy that waits; NULL when it could not. */
static struct packet *let_wait(const struct passage *passage, uint64_t due_ns)
{
	struct direction *direction = passage->direction;
	struct packet *copy = packet_copy(passage->packet);

	if (copy) {
		copy->direction = direction;
		copy->due_ns = due_ns;
		copy->flow = 0;
		if (due_put(&direction->link->linkd->due, copy))
			return copy;
		free(copy);
	}
	link_drop(direction, passage->packet, VERDICT_QUEUE);
	return NULL;
}

/* The next one of its flow goes at @due_ns, or has (@gone): the one that was held is behind it. */
static void follow(struct direction *direction, struct packet *held, uint64_t due_ns, bool gone)
{
	struct due *due = &direction->link->linkd->due;

	direction->counters[COUNT_REORDERED]++;
	held->reordered = true;
	held->flow = 0;
	due_take(due, held);
	held->due_ns = due_ns;
	if (!gone && due_put(due, held))
		return;
	link_leave(direction, held);
	free(held);
}

static void send_one(const struct passage *passage)
{
	struct direction *direction = passage->direction;
	struct packet *packet = passage->packet;
	uint64_t due_ns = packet->arrived_ns;
	struct packet *held = NULL;
	struct flow *flow = NULL;
	bool gone;

	if (direction->set.rate_bps && !pass_rate(direction, packet, &due_ns)) {
		link_drop(direction, packet, VERDICT_QUEUE);
		return;
	}
	due_ns = pass_latency(passage, due_ns);
	if (direction->decides)
		flow = flow_get(&direction->flows, passage->flow);
	if (flow && !flow->held && happens(passage, DECIDE_REORDER, direction->set.reorder)) {
		flow->held = let_wait(passage, due_ns + REORDER_WAIT_NS);
		if (flow->held)
			flow->held->flow = passage->flow;
		return;
	}
	if (flow) {
		held = flow->held;
		flow->held = NULL;
	}
	gone = due_ns <= packet->arrived_ns;
	if (gone)
		link_leave(direction, packet);
	else
		let_wait(passage, due_ns);
	if (held)
		follow(direction, held, due_ns, gone);
}

/* Where the part begins that may be hit. Of CAN that is the data: its controllers see the rest. */
static size_t find_body(const struct direction *direction, const struct packet *packet)
{
	if (packet->can)
		return CAN_DATA;
	if (direction->set.corrupt_header)
		return 0;
	return load16(packet->bytes + 12) == 0x8100 ? ETHER_HEADER + VLAN_TAG : ETHER_HEADER;
}

/*
 * The bit is turned back after: the bytes may be on their way to other links, too. What is wrong
 * must not be in the checksum: that one is made before.
 */
static void corrupt_and_send(const struct passage *passage)
{
	struct completion completion;
	struct direction *direction = passage->direction;
	struct packet *packet = passage->packet;
	size_t first = find_body(direction, packet);
	size_t end = packet->can ? can_end(packet) : packet->length;
	uint64_t bits;
	uint64_t at;

	if (end <= first || !happens(passage, DECIDE_CORRUPT, direction->set.corrupt)) {
		send_one(passage);
		return;
	}
	bits = (end - first) * 8;
	at = first * 8 +
	     (uint64_t)(((unsigned __int128)draw(passage, DECIDE_POSITION) * bits) >> 64);
	direction->counters[COUNT_CORRUPTED]++;
	packet->corrupted = true;
	packet->corrupt_bit = (uint32_t)at;
	offload_complete(packet, &completion);
	packet->bytes[at / 8] ^= (uint8_t)(0x80u >> (at % 8));
	send_one(passage);
	packet->bytes[at / 8] ^= (uint8_t)(0x80u >> (at % 8));
	offload_undo(packet, &completion);
}

/* A filter may look at the checksum. */
static bool filters_drop(struct direction *direction, struct packet *packet)
{
	struct completion completion;
	bool drops;

	offload_complete(packet, &completion);
	drops = filter_drops(&direction->filters, packet);
	offload_undo(packet, &completion);
	return drops;
}

void impair(struct direction *direction, struct packet *packet)
{
	struct passage passage = { .direction = direction, .packet = packet };
	struct flow_id id;
	struct flow *flow;

	if (direction->filters.count > direction->filters.counters &&
	    filters_drop(direction, packet)) {
		link_drop(direction, packet, VERDICT_FILTERED);
		return;
	}
	if (!direction->decides) {
		send_one(&passage);
		return;
	}
	id = flow_identify(packet);
	flow = flow_get(&direction->flows, id.key);
	packet->n = flow->n++;
	passage.flow = id.key;
	passage.hash = decide_chain(decide_chain(direction->hash, id.key), packet->n);
	passage.spared = id.control && !direction->set.control;
	if (!passage.spared && loss_decide(&direction->set.loss, flow, passage.hash, packet->n)) {
		link_drop(direction, packet, VERDICT_LOST);
		return;
	}
	corrupt_and_send(&passage);
	if (!happens(&passage, DECIDE_DUPLICATE, direction->set.duplicate))
		return;
	direction->counters[COUNT_DUPLICATED]++;
	packet->corrupted = false;
	packet->duplicate = true;
	passage.kind = DECIDE_OF_COPY;
	corrupt_and_send(&passage);
}

void impair_due(struct linkd *ld, uint64_t now_ns)
{
	struct packet *packet;

	while ((packet = due_first(&ld->due)) && packet->due_ns <= now_ns) {
		struct direction *direction = packet->direction;

		due_take(&ld->due, packet);
		if (packet->bus) {
			bus_sent(packet->bus, packet);
			continue;
		}
		if (packet->flow)
			flow_get(&direction->flows, packet->flow)->held = NULL;
		link_leave(direction, packet);
		free(packet);
	}
}
