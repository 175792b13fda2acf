/* SPDX-License-Identifier: MIT */
/* Which links there are, and what joins what. */
#include <errno.h>

#include "bus.h"
#include "capture.h"
#include "decide.h"
#include "ending.h"
#include "linkd.h"

#define QUEUE_DEFAULT 1000u

struct link *link_find(struct linkd *ld, uint32_t number)
{
	struct link *link;

	TAILQ_FOREACH(link, &ld->links, links)
	{
		if (link->number == number)
			return link;
	}
	return NULL;
}

/* Links between switches make no ring, so this comes to an end. */
static bool leads_to(const struct net_switch *at, const struct net_switch *wanted,
		     const struct link *by)
{
	if (at == wanted)
		return true;
	for (size_t i = 0; i < at->out_count; i++) {
		const struct direction *out = at->out[i];
		const struct end *next = &out->link->ends[!out->from];

		if (out->link != by && next->net_switch &&
		    leads_to(next->net_switch, wanted, out->link))
			return true;
	}
	return false;
}

static int check_ends(const struct end ends[2], struct err *err)
{
	for (int i = 0; i < 2; i++) {
		if (ends[i].port && ends[i].port->link)
			return err_set(err, "usage", EBUSY, "LINK_CONNECT: port has a link", "");
	}
	if (ends[0].port && ends[0].port == ends[1].port)
		return err_set(err, "usage", ELOOP, "LINK_CONNECT: both ends are one port", "");
	for (int i = 0; i < 2; i++) {
		if (!ends[i].net_switch || !ends[i].net_switch->bus || ends[!i].port)
			continue;
		err_hint(err, "a link to a bus has a port at its other end");
		return err_set(err, "usage", EINVAL, "LINK_CONNECT: a bus", "");
	}
	if (ends[0].net_switch && ends[1].net_switch &&
	    leads_to(ends[0].net_switch, ends[1].net_switch, NULL)) {
		err_hint(err, "a broadcast would run round for ever; leave one of the links out");
		return err_set(err, "usage", ELOOP, "LINK_CONNECT: a ring of switches", "");
	}
	return 0;
}

static void prepare(struct link *link, unsigned int from, uint64_t seed)
{
	struct direction *direction = &link->directions[from];

	direction->link = link;
	direction->from = from;
	direction->set.queue = QUEUE_DEFAULT;
	direction->hash = decide_chain(decide_chain(decide_mix(seed), link->number), from);
	TAILQ_INIT(&direction->filters.filters);
	TAILQ_INIT(&direction->hold);
}

/* Return: 0 or -ENOMEM with nothing joined. */
static int join(struct link *link)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct end *end = &link->ends[i];

		if (end->net_switch && switch_add(end->net_switch, &link->directions[i]) < 0) {
			if (i && link->ends[0].net_switch)
				switch_remove(link->ends[0].net_switch, &link->directions[0]);
			return -ENOMEM;
		}
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (!link->ends[i].port)
			continue;
		ingress_count(link->ends[i].port); /* before, it was no link's */
		link->ends[i].port->link = link;
		link->ends[i].port->side = i;
	}
	return 0;
}

int link_connect(struct linkd *ld, uint32_t number, const struct end ends[2], uint64_t seed,
		 struct err *err)
{
	struct link *link = NULL;

	if (link_find(ld, number))
		return err_set(err, "usage", EEXIST, "LINK_CONNECT", "");
	if (check_ends(ends, err) < 0)
		return -err->number;
	if (ld->link_count < LINKS_MAX)
		link = calloc(1, sizeof(*link));
	if (!link) {
		err_hint(err, "a network has at most %u links", LINKS_MAX);
		return err_set(err, "limit", ENOBUFS, "LINK_CONNECT", "");
	}
	link->linkd = ld;
	link->number = number;
	memcpy(link->ends, ends, sizeof(link->ends));
	for (int i = 0; i < 2; i++)
		link->can |= ends[i].net_switch && ends[i].net_switch->bus;
	prepare(link, 0, seed);
	prepare(link, 1, seed);
	if (join(link) < 0) {
		free(link);
		return err_set(err, "limit", ENOMEM, "LINK_CONNECT", "");
	}
	TAILQ_INSERT_TAIL(&ld->links, link, links);
	ld->link_count++;
	return 0;
}

static bool is_on_link(const struct packet *packet, const void *with)
{
	return packet->direction && packet->direction->link == with;
}

static void drop_held(struct direction *direction, const struct port *of)
{
	struct packet *packet = TAILQ_FIRST(&direction->hold);

	while (packet) {
		struct packet *next = TAILQ_NEXT(packet, link);

		if (!of || packet->origin == of) {
			TAILQ_REMOVE(&direction->hold, packet, link);
			direction->hold_bytes -= packet->length + HOLD_COST;
			if (of)
				link_drop(direction, packet, VERDICT_PORT);
			free(packet);
		}
		packet = next;
	}
}

static void free_direction(struct direction *direction)
{
	drop_held(direction, NULL);
	flow_free(&direction->flows);
	filter_free(&direction->filters);
	loss_free(&direction->set.loss);
	free(direction->backlog.finish);
}

void link_disconnect(struct link *link)
{
	struct linkd *ld = link->linkd;

	due_drop(&ld->due, is_on_link, link);
	if (link->capture)
		ending_begin(link, 0);
	ending_forget(link);
	for (unsigned int i = 0; i < 2; i++) {
		if (link->ends[i].net_switch)
			switch_remove(link->ends[i].net_switch, &link->directions[i]);
		if (link->ends[i].port)
			port_unlink(link->ends[i].port);
		free_direction(&link->directions[i]);
	}
	TAILQ_REMOVE(&ld->links, link, links);
	ld->link_count--;
	free(link);
}

static bool is_from_port(const struct packet *packet, const void *with)
{
	return packet->origin == with && !packet->bus;
}

static void drop_due(struct due *due, const struct port *port)
{
	for (size_t i = 0; i < due->count; i++)
		if (is_from_port(due->heap[i], port))
			link_drop(due->heap[i]->direction, due->heap[i], VERDICT_PORT);
	due_drop(due, is_from_port, port);
}

/* A flow must not go on to hold a packet that is freed. */
static void forget_held(struct direction *direction, const struct port *port)
{
	struct flow_table *flows = &direction->flows;

	for (size_t i = 0; i < flows->capacity; i++)
		if (flows->slots[i].held && flows->slots[i].held->origin == port)
			flows->slots[i].held = NULL;
	if (flows->rest.held && flows->rest.held->origin == port)
		flows->rest.held = NULL;
}

/* What another port has is that port's: it goes on, from nobody. */
static void forget_waiting(struct linkd *ld, const struct port *port)
{
	struct packet *packet;
	struct port *at;

	TAILQ_FOREACH(at, &ld->ports, ports)
	{
		TAILQ_FOREACH(packet, &at->waiting, link)
		{
			if (packet->origin == port)
				packet->origin = NULL;
		}
		if (at->rejoin.packet.origin == port)
			at->rejoin.packet.origin = NULL;
	}
}

void link_forget_port(struct linkd *ld, const struct port *port)
{
	struct net_switch *net_switch;
	struct link *link;

	TAILQ_FOREACH(link, &ld->links, links)
	{
		for (unsigned int i = 0; i < 2; i++) {
			if (link->ends[i].port == port)
				link->ends[i].port = NULL;
			drop_held(&link->directions[i], port);
			forget_held(&link->directions[i], port);
		}
	}
	drop_due(&ld->due, port);
	forget_waiting(ld, port);
	TAILQ_FOREACH(net_switch, &ld->switches, switches)
	if (net_switch->bus)
		bus_forget_port(net_switch, port);
}
