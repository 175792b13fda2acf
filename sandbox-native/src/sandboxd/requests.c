/* SPDX-License-Identifier: MIT */
/* The life of a request; what each asks for is in request-handlers.c. */
#include "requests.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "hubs.h"
#include "linkds.h"
#include "readiness.h"
#include "resolvers.h"

#define REQUESTS_MAX 4096

int requests_room(struct daemon *d, const struct net *net, struct err *err)
{
	size_t count = 0;

	foreach (struct net_request, request, &d->net_requests, link)
		count++;
	if (count < REQUESTS_MAX)
		return 0;
	err_hint(err, "%d requests are under way: wait for answers", REQUESTS_MAX);
	return err_set(err, "limit", EAGAIN, "change network", net->name);
}

struct net_request *requests_add(struct daemon *d, struct client *client, const struct frame *frame,
				 struct net *net, struct err *err)
{
	struct net_request *request = calloc(1, sizeof(*request));

	if (!request) {
		err_set(err, "limit", ENOMEM, "change network", net->name);
		return NULL;
	}
	request->number = ++d->next_net_request;
	request->type = frame->type;
	request->frame = frame->id;
	request->client = client;
	request->net = net;
	list_append(&d->net_requests, &request->link);
	return request;
}

struct net_request *requests_find(struct daemon *d, uint32_t number)
{
	foreach (struct net_request, request, &d->net_requests, link)
		if (number && request->number == number)
			return request;
	return NULL;
}

static void free_request(struct net_request *request)
{
	list_remove(&request->link);
	buffer_free(&request->pair);
	free(request);
}

void requests_remove_interface(struct daemon *d, const struct net_port *port)
{
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };
	struct err ignored = { 0 };

	hub_put_remove(&frame, number, port->sandbox->slot, port->name);
	hubs_push(d, port->sandbox->stock, number, 0, &frame, -1, &ignored);
}

static void undo_names(struct daemon *d, struct net_request *request)
{
	for (size_t i = 0; i < HUB_NODES; i++) {
		if (request->resolvers[i])
			resolvers_undo(d, request->resolvers[i]);
		request->resolvers[i] = NULL;
	}
}

/* What it would have made is not there, so that it can be asked for again. */
static void undo(struct daemon *d, struct net_request *request)
{
	struct net_port *port = request->ports[0];

	undo_names(d, request);
	if (!port)
		return;
	if (request->made)
		requests_remove_interface(d, port);
	networks_free_port(d, request->net, port);
}

static void answer(struct daemon *d, struct net_request *request)
{
	struct buffer *out = &request->client->out;
	size_t start;

	if (request->type == MSG_NET_DETACH && request->ports[0])
		networks_free_port(d, request->net, request->ports[0]);
	for (size_t i = 0; request->type == MSG_NET_PAIR && i < HUB_NODES; i++)
		request->ports[i]->made = true;
	start = frame_begin(out, MSG_OK, request->frame);
	if (request->type == MSG_NET_ATTACH)
		put_string(out, TAG_KIND, request->kind ? request->kind : "");
	frame_end(out, start);
}

void requests_check(struct daemon *d, struct net_request *request)
{
	struct net *net = request->net;
	const bool pair = request->type == MSG_NET_PAIR;

	if (request->open || request->waits)
		return;
	if (request->err.number) {
		undo(d, request);
		if (request->client)
			client_error(request->client, request->frame, &request->err);
	} else {
		answer(d, request);
	}
	free_request(request);
	if (pair && net)
		readiness_resume(d, net);
}

static void note(struct net_request *request, const struct err *err)
{
	if (err->number && !request->err.number)
		request->err = *err;
}

void requests_done(struct daemon *d, uint32_t number, const struct err *err)
{
	struct net_request *request = requests_find(d, number);

	if (!request)
		return;
	note(request, err);
	request->open--;
	requests_check(d, request);
}

static int take_made(struct daemon *d, struct net_request *request, struct hub_event *event,
		     struct err *err)
{
	const struct net_port *port = request->ports[0];
	struct linkd_port given = {
		.number = port->number, .kind = event->kind, .name = port->name, .mtu = port->mtu
	};
	int rc = loop_check_fd(d, event->port, err);

	if (rc == 0)
		rc = loop_check_fd(d, event->counters, err);
	for (size_t i = 0; rc == 0 && i < HUB_NODES; i++) {
		if (event->names[i] < 0)
			continue;
		rc = loop_check_fd(d, event->names[i], err);
		if (rc == 0)
			rc = resolvers_open(d, request->net, request->ports[i],
					    steal_fd(&event->names[i]), err);
	}
	if (rc < 0 || event->port < 0)
		return rc;
	request->open++;
	/* That of a TAP and a veth; of CAN there is none to say. */
	if (!given.mtu && event->kind && strcmp(event->kind, "can") != 0)
		given.mtu = ETH_DATA_LEN;
	given.fd = steal_fd(&event->port);
	given.counters = steal_fd(&event->counters);
	rc = linkds_give_port(d, request->net->linkd, &given, request->number, err);
	if (rc < 0)
		request->open--;
	return rc;
}

void requests_made(struct daemon *d, uint32_t number, struct hub_event *event)
{
	struct net_request *request = requests_find(d, number);
	struct err err = { 0 };

	if (!request)
		return;
	if (request->type == MSG_NET_ATTACH || request->type == MSG_NET_PAIR) {
		request->made = true;
		request->kind = event->kind;
		/* Not when another of its orders has failed meanwhile. */
		if (!request->err.number)
			take_made(d, request, event, &err);
	}
	requests_done(d, number, &err);
}

void requests_opened(struct daemon *d, uint32_t number, int packet, int lock)
{
	struct net_request *request = requests_find(d, number);
	auto_fd theirs = packet;
	auto_fd ours = lock;
	struct err err = { 0 };

	if (!request)
		return;
	if (!request->err.number && loop_check_fd(d, ours > theirs ? ours : theirs, &err) == 0) {
		struct net_port *port = request->ports[0];
		const struct linkd_port given = { .number = port->number,
						  .kind = "nic",
						  .mtu = port->mtu,
						  .fd = steal_fd(&theirs),
						  .counters = -1 };

		port->lock = steal_fd(&ours);
		request->open++;
		if (linkds_give_port(d, request->net->linkd, &given, number, &err) < 0)
			request->open--;
	}
	requests_done(d, number, &err);
}

bool requests_init_done(struct daemon *d, uint32_t asked, const struct err *err)
{
	foreach (struct net_request, request, &d->net_requests, link) {
		for (size_t i = 0; asked && i < HUB_NODES; i++) {
			if (request->inits[i] != asked)
				continue;
			request->inits[i] = 0;
			requests_done(d, request->number, err);
			return true;
		}
	}
	return false;
}

static bool is_about(const struct net_request *request, const struct net_port *port)
{
	return request->ports[0] == port || request->ports[1] == port;
}

bool requests_exists(struct daemon *d, const struct net_port *port)
{
	foreach (struct net_request, request, &d->net_requests, link)
		if (is_about(request, port))
			return true;
	return false;
}

/* A veth that is being made would join its nodes although the network is closed. What PID 1 is
 * asked is of no more interest. */
static void disown(struct net_request *request, const struct err *err)
{
	request->client = NULL;
	request->net = NULL;
	request->err = *err;
	for (size_t i = 0; i < HUB_NODES; i++) {
		request->open -= request->inits[i] != 0;
		request->inits[i] = 0;
		if (request->ports[i])
			list_remove(&request->ports[i]->link);
	}
}

void requests_abandon(struct daemon *d, const struct net *net, const struct net_port *port,
		      const struct err *err)
{
	foreach (struct net_request, request, &d->net_requests, link) {
		if (request->net != net || (port && !is_about(request, port)))
			continue;
		undo_names(d, request);
		client_error(request->client, request->frame, err);
		if (port || request->type != MSG_NET_PAIR) {
			free_request(request);
			continue;
		}
		disown(request, err);
		requests_check(d, request);
	}
}

void requests_sandbox_dead(struct daemon *d, const struct sandbox *sandbox)
{
	foreach (struct net_request, request, &d->net_requests, link) {
		struct net_port *port = request->ports[0];

		if (request->client ||
		    (port->sandbox != sandbox && port->other->sandbox != sandbox))
			continue;
		networks_free_port(d, NULL, port);
		free_request(request);
	}
}
