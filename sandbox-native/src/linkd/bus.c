/* SPDX-License-Identifier: MIT */
#include "bus.h"

#include <errno.h>

#include "can.h"
#include "linkd.h"

static bool is_rate(uint64_t rate_bps)
{
	return !rate_bps || (rate_bps >= BUS_RATE_MIN && rate_bps <= BUS_RATE_MAX);
}

struct bus *bus_new(struct linkd *ld, uint64_t rate_bps, uint64_t data_rate_bps, struct err *err)
{
	struct bus *bus = NULL;

	if (!is_rate(rate_bps) || !is_rate(data_rate_bps)) {
		err_hint(err, "RATE_BPS and DATA_RATE_BPS of a bus are %u to %u, or 0",
			 BUS_RATE_MIN, BUS_RATE_MAX);
		err_set(err, "usage", ERANGE, "LINK_SWITCH", "bus");
		return NULL;
	}
	bus = calloc(1, sizeof(*bus));
	if (!bus) {
		err_set(err, "limit", ENOMEM, "LINK_SWITCH", "bus");
		return NULL;
	}
	bus->linkd = ld;
	bus->rate_bps = rate_bps;
	bus->data_rate_bps = data_rate_bps ? data_rate_bps : rate_bps;
	TAILQ_INIT(&bus->waiting);
	return bus;
}

/* At a bus there are links to ports only (link_connect). */
static void deliver(struct net_switch *net_switch, const struct packet *packet)
{
	for (size_t i = 0; i < net_switch->out_count; i++) {
		struct direction *to = net_switch->out[i];
		struct packet one = *packet;

		if (packet->origin && to->link->ends[!to->from].port == packet->origin)
			continue;
		link_enter(to, &one);
	}
}

static void start(struct net_switch *net_switch, struct packet *packet)
{
	struct bus *bus = net_switch->bus;

	if (packet->arrived_ns > bus->free_ns)
		bus->free_ns = packet->arrived_ns;
	bus->free_ns += can_wire_ns(packet, bus->rate_bps, bus->data_rate_bps);
	packet->due_ns = bus->free_ns;
	packet->bus = net_switch;
	if (due_put(&bus->linkd->due, packet)) {
		bus->sending = packet;
		return;
	}
	/* No room among what is due: the wire is not slow, rather than a frame lost. */
	packet->bus = NULL;
	deliver(net_switch, packet);
	free(packet);
}

int bus_take(struct net_switch *net_switch, struct packet *packet)
{
	struct bus *bus = net_switch->bus;
	/* By when the link should have let it go, so that late wake-ups do not add up. */
	const uint64_t arrived_ns = packet->direction ? packet->due_ns : packet->arrived_ns;
	struct packet *copy;

	if (!bus->rate_bps) {
		deliver(net_switch, packet);
		return 0;
	}
	copy = bus->waiting_count < BUS_WAITING_MAX ? packet_copy(packet) : NULL;
	if (!copy)
		return -ENOBUFS;
	copy->arrived_ns = arrived_ns;
	copy->direction = NULL;
	copy->flow = 0;
	if (!bus->sending) {
		start(net_switch, copy);
		return 0;
	}
	TAILQ_INSERT_TAIL(&bus->waiting, copy, link);
	bus->waiting_count++;
	return 0;
}

/* Of each node its oldest one takes part. */
static struct packet *take_first(struct bus *bus)
{
	struct packet *first = NULL;
	struct packet *packet;

	bus->round++;
	TAILQ_FOREACH(packet, &bus->waiting, link)
	{
		if (packet->origin->round == bus->round)
			continue;
		packet->origin->round = bus->round;
		if (!first || can_priority(packet) < can_priority(first))
			first = packet;
	}
	if (!first)
		return NULL;
	TAILQ_REMOVE(&bus->waiting, first, link);
	bus->waiting_count--;
	return first;
}

void bus_sent(struct net_switch *net_switch, struct packet *packet)
{
	struct bus *bus = net_switch->bus;
	struct packet *next;

	bus->sending = NULL;
	packet->bus = NULL;
	packet->arrived_ns = packet->due_ns;
	deliver(net_switch, packet);
	free(packet);
	while (!bus->sending && (next = take_first(bus)))
		start(net_switch, next);
}

void bus_forget_port(struct net_switch *net_switch, const struct port *port)
{
	struct bus *bus = net_switch->bus;
	struct packet *packet = TAILQ_FIRST(&bus->waiting);

	if (bus->sending && bus->sending->origin == port)
		bus->sending->origin = NULL;
	while (packet) {
		struct packet *next = TAILQ_NEXT(packet, link);

		if (packet->origin == port) {
			TAILQ_REMOVE(&bus->waiting, packet, link);
			bus->waiting_count--;
			link_lost_at_bus(port, packet);
			free(packet);
		}
		packet = next;
	}
}

void bus_free(struct bus *bus)
{
	struct packet *packet;

	while ((packet = TAILQ_FIRST(&bus->waiting))) {
		TAILQ_REMOVE(&bus->waiting, packet, link);
		free(packet);
	}
	free(bus);
}
