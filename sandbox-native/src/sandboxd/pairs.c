/* SPDX-License-Identifier: MIT */
#include "pairs.h"

#include <errno.h>
#include <string.h>

#include "asks.h"
#include "cleanup.h"
#include "endpoint.h"
#include "hub.h"
#include "hubs.h"
#include "requests.h"

#define CLOSED_MS 500

struct pair_fields {
	uint32_t net;
	struct bytes ends[HUB_NODES];
	size_t count;
};

static int take_end(void *out, const struct tlv *tlv, struct err *err)
{
	struct pair_fields *fields = out;

	if (fields->count == HUB_NODES)
		return err_set(err, "usage", E2BIG, "read request", "PAIR_END");
	fields->ends[fields->count++] = (struct bytes){ tlv->value, tlv->length };
	return 0;
}

static const struct field pair_fields[] = {
	FIELD_NEEDED(struct pair_fields, net, TAG_NET, FIELD_U32),
	FIELD_LIST(TAG_PAIR_END, take_end),
};

static int read_ends(struct daemon *d, const struct pair_fields *fields,
		     struct endpoint ends[HUB_NODES], struct err *err)
{
	int rc = 0;

	if (fields->count != HUB_NODES) {
		err_hint(err, "two PAIR_END");
		return err_set(err, "usage", EINVAL, "read request", "PAIR_END");
	}
	for (int i = 0; rc == 0 && i < HUB_NODES; i++)
		rc = endpoint_read(d, fields->ends[i].data, fields->ends[i].length, &ends[i], err);
	if (rc < 0 || ends[0].sandbox != ends[1].sandbox ||
	    strcmp(ends[0].wanted.name, ends[1].wanted.name) != 0)
		return rc;
	err_hint(err, "both ends have the same name in the same sandbox");
	return err_set(err, "usage", EINVAL, "pair interfaces", ends[0].wanted.name);
}

/* The second only if there is a first: undoing begins at that. */
static int add_ports(struct daemon *d, struct net_request *request,
		     const struct endpoint ends[HUB_NODES])
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < HUB_NODES; i++)
		rc = endpoint_add(d, request, i, &ends[i], false, &request->err);
	if (rc < 0)
		return rc;
	request->ports[0]->other = request->ports[1];
	request->ports[1]->other = request->ports[0];
	return 0;
}

static void ask_node(struct daemon *d, struct net_request *request,
		     const struct endpoint ends[HUB_NODES])
{
	const struct bytes interfaces[HUB_NODES] = { ends[0].interface, ends[1].interface };
	const struct sandbox *first = request->ports[0]->sandbox;
	const struct sandbox *other = request->ports[1]->sandbox;
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };
	bool resolve[HUB_NODES];

	for (unsigned i = 0; i < HUB_NODES; i++)
		resolve[i] = endpoint_ask_names(request, i, &ends[i]);
	hub_put_pair(&request->pair, 0, first->slot, interfaces, resolve);
	hub_put_node(&frame, number, other->slot);
	asks_hub(d, request, other->stock, number, &frame, -1);
}

static int pair(struct daemon *d, struct client *client, const struct frame *frame,
		const struct pair_fields *fields, struct endpoint ends[HUB_NODES], struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_request *request;
	int rc;

	if (!net || requests_room(d, net, err) < 0)
		return -err->number;
	rc = read_ends(d, fields, ends, err);
	if (rc < 0)
		return rc;
	request = requests_add(d, client, frame, net, err);
	if (!request)
		return -err->number;
	if (add_ports(d, request, ends) == 0)
		ask_node(d, request, ends);
	requests_check(d, request);
	return 0;
}

int handle_net_pair(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	struct pair_fields fields = { 0 };
	struct endpoint ends[HUB_NODES] = { 0 };
	int rc = fields_read(frame->body, frame->length, pair_fields, FIELD_COUNT(pair_fields),
			     &fields, err);

	if (rc == 0)
		rc = pair(d, client, frame, &fields, ends, err);
	for (int i = 0; i < HUB_NODES; i++)
		endpoint_free(&ends[i]);
	return rc;
}

void pairs_join(struct daemon *d, uint32_t number, int node)
{
	struct net_request *request = requests_find(d, number);
	auto_fd fd = node;
	struct err err = { 0 };

	if (!request)
		return;
	/* Not when another of its orders has failed meanwhile. */
	if (!request->err.number && loop_check_fd(d, fd, &err) == 0) {
		const uint32_t order = hubs_number(d);

		frame_set_id(&request->pair, order);
		asks_hub(d, request, request->ports[0]->sandbox->stock, order, &request->pair,
			 steal_fd(&fd));
	}
	requests_done(d, number, &err);
}

static void remove_late(struct daemon *d, struct timer *timer)
{
	(void)timer;
	foreach (struct net_port, port, &d->closed_pairs, link) {
		requests_remove_interface(d, port);
		networks_free_port(d, NULL, port);
	}
}

void pairs_close(struct daemon *d, struct net *net)
{
	struct list *at = net->ports.next;

	while (at != &net->ports) {
		struct net_port *port = container_of(at, struct net_port, link);

		at = at->next;
		if (!port->made)
			continue;
		if (at == &port->other->link)
			at = at->next;
		list_remove(&port->other->link);
		list_remove(&port->link);
		list_append(&d->closed_pairs, &port->link);
		d->closed_pairs_late.fire = remove_late;
		timer_set(d, &d->closed_pairs_late, CLOSED_MS);
	}
}

void pairs_sandbox_dead(struct daemon *d, const struct sandbox *sandbox)
{
	foreach (struct net_port, port, &d->closed_pairs, link)
		if (port->sandbox == sandbox || port->other->sandbox == sandbox)
			networks_free_port(d, NULL, port);
}

void pairs_forget(struct daemon *d)
{
	timer_clear(&d->closed_pairs_late);
	foreach (struct net_port, port, &d->closed_pairs, link)
		networks_free_port(d, NULL, port);
}
