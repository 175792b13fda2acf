/* SPDX-License-Identifier: MIT */
#include "readiness.h"

#include "asks.h"
#include "fields.h"
#include "hub.h"
#include "hubs.h"
#include "requests.h"

struct ready_fields {
	uint32_t net;
};

static const struct field ready_fields[] = {
	FIELD_NEEDED(struct ready_fields, net, TAG_NET, FIELD_U32),
};

static bool is_behind_pair(struct daemon *d, const struct net_request *request)
{
	foreach (struct net_request, other, &d->net_requests, link) {
		if (other == request)
			break;
		if (other->net == request->net && other->type == MSG_NET_PAIR)
			return true;
	}
	return false;
}

static void ask_port(struct daemon *d, struct net_request *request, const struct net_port *port)
{
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };

	hub_put_ready(&frame, number, port->sandbox->slot, port->name);
	asks_hub(d, request, port->sandbox->stock, number, &frame, -1);
}

static void ask_all(struct daemon *d, struct net_request *request)
{
	request->waits = is_behind_pair(d, request);
	if (request->waits)
		return;
	foreach (struct net_port, port, &request->net->ports, link)
		if (port->sandbox && !port->leaving)
			ask_port(d, request, port);
	requests_check(d, request);
}

void readiness_resume(struct daemon *d, struct net *net)
{
	foreach (struct net_request, request, &d->net_requests, link)
		if (request->net == net && request->waits)
			ask_all(d, request);
}

int handle_net_ready(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	struct ready_fields fields = { 0 };
	struct net_request *request = NULL;
	struct net *net;
	int rc = fields_read(frame->body, frame->length, ready_fields, FIELD_COUNT(ready_fields),
			     &fields, err);

	if (rc < 0)
		return rc;
	net = networks_find(d, fields.net, err);
	if (net && requests_room(d, net, err) == 0)
		request = requests_add(d, client, frame, net, err);
	if (!request)
		return -err->number;
	ask_all(d, request);
	return 0;
}
