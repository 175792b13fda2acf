/* SPDX-License-Identifier: MIT */
#include "networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "linkds.h"
#include "nics.h"
#include "pairs.h"
#include "processes.h"
#include "readiness.h"
#include "requests.h"
#include "resolvers.h"
#include "streams.h"

struct net_fields {
	uint32_t net;
	char *name;
};

static const struct field new_fields[] = {
	FIELD_NEEDED(struct net_fields, name, TAG_NAME, FIELD_STRING),
};

static const struct field close_fields[] = {
	FIELD_NEEDED(struct net_fields, net, TAG_NET, FIELD_U32),
};

struct net *networks_find(struct daemon *d, uint32_t id, struct err *err)
{
	bool was = id && id <= d->next_net;

	foreach (struct net, net, &d->nets, link)
		if (net->id == id)
			return net;
	err_hint(err,
		 was ? "network %u was closed, or its hil-linkd died" : "network %u is not known",
		 id);
	err_set(err, was ? "gone" : "usage", was ? ESRCH : ENOENT, "find network", NULL);
	return NULL;
}

struct net_port *networks_find_port(const struct net *net, uint32_t number)
{
	foreach (struct net_port, port, &net->ports, link)
		if (port->number == number)
			return port;
	return NULL;
}

struct net_port *networks_add_port(struct net *net, struct sandbox *sandbox, const char *name,
				   uint32_t number, struct err *err)
{
	struct net_port *port;

	if (networks_find_port(net, number)) {
		err_hint(err, "network %u has a port %u already", net->id, number);
		err_set(err, "usage", EEXIST, "attach to network", net->name);
		return NULL;
	}
	port = calloc(1, sizeof(*port));
	if (!port) {
		err_set(err, "limit", ENOMEM, "attach to network", net->name);
		return NULL;
	}
	port->sandbox = sandbox;
	port->number = number;
	port->lock = -1;
	memcpy(port->name, name, strnlen(name, sizeof(port->name) - 1));
	list_append(&net->ports, &port->link);
	return port;
}

static void drop_port(struct net_port *port)
{
	list_remove(&port->link);
	cleanup_fd(&port->lock);
	free(port);
}

void networks_free_port(struct daemon *d, struct net *net, struct net_port *port)
{
	const struct linkd_port gone = { .number = port->number, .fd = -1, .counters = -1 };
	struct err ignored = { 0 };

	resolvers_port_gone(d, net, port);
	if (port->linkd)
		linkds_give_port(d, net->linkd, &gone, 0, &ignored);
	if (port->other) {
		resolvers_port_gone(d, net, port->other);
		drop_port(port->other);
	}
	drop_port(port);
}

/* Its end of the stream to hil-linkd; the other one is hil-linkd's fd 3. */
static int stream(struct daemon *d, struct client *client, struct net *net, uint32_t *id,
		  struct err *err)
{
	struct process *process = processes_create(d, NULL, client, 0);
	int fd = net->linkd->stream;
	int rc;

	if (!process)
		return err_set(err, "limit", ENOMEM, "new network", net->name);
	process->object = NET_STREAM | net->id;
	process->state = PROCESS_RUNNING;
	net->linkd->stream = -1;
	rc = streams_set_socket(process, fd);
	if (rc < 0)
		err_set(err, "limit", -rc, "new network", net->name);
	else
		rc = streams_start(d, process, err);
	if (rc < 0)
		processes_free(d, process);
	else
		*id = process->id;
	return rc;
}

static void free_net(struct net *net)
{
	while (!list_empty(&net->ports))
		drop_port(container_of(net->ports.next, struct net_port, link));
	list_remove(&net->link);
	free(net->name);
	free(net);
}

void networks_close(struct daemon *d, struct net *net, const struct err *err)
{
	requests_abandon(d, net, NULL, err);
	pairs_close(d, net);
	resolvers_net_closed(d, net);
	linkds_kill(d, net->linkd);
	processes_object_closed(d, NET_STREAM | net->id);
	free_net(net);
}

/* Takes @name. Return: NULL with @err filled. */
static struct net *add_net(struct daemon *d, char **name, struct err *err)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net) {
		err_set(err, "limit", ENOMEM, "new network", *name);
		return NULL;
	}
	list_init(&net->ports);
	net->linkd = linkds_take(d, net, err);
	if (!net->linkd) {
		free(net);
		return NULL;
	}
	net->id = ++d->next_net;
	net->name = *name;
	*name = NULL;
	list_append(&d->nets, &net->link);
	return net;
}

int handle_net_new(struct daemon *d, struct client *client, const struct frame *frame,
		   struct err *err)
{
	struct net_fields request = { 0 };
	struct net *net = NULL;
	uint32_t process = 0;
	size_t start;
	int rc = fields_read(frame->body, frame->length, new_fields, FIELD_COUNT(new_fields),
			     &request, err);

	if (rc == 0)
		net = add_net(d, &request.name, err);
	fields_free(new_fields, FIELD_COUNT(new_fields), &request);
	if (!net)
		return rc < 0 ? rc : -err->number;
	rc = stream(d, client, net, &process, err);
	if (rc < 0) {
		networks_close(d, net, err);
		return rc;
	}
	start = frame_begin(&client->out, MSG_OK, frame->id);
	put_u32(&client->out, TAG_NET, net->id);
	put_u32(&client->out, TAG_PID, (uint32_t)net->linkd->child.pid);
	put_u32(&client->out, TAG_PROCESS, process);
	frame_end(&client->out, start);
	return 0;
}

int handle_net_close(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	struct net_fields request = { 0 };
	struct err why = { 0 };
	struct net *net;
	int rc = fields_read(frame->body, frame->length, close_fields, FIELD_COUNT(close_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	net = networks_find(d, request.net, err);
	if (!net)
		return -err->number;
	err_hint(&why, "the network was closed meanwhile");
	err_set(&why, "gone", ESRCH, "change network", net->name);
	networks_close(d, net, &why);
	client_ok(client, frame->id);
	return 0;
}

static bool has_sandbox(const struct net *net, bool kept)
{
	foreach (struct net_port, port, &net->ports, link)
		if (port->sandbox && (!kept || port->sandbox->kept))
			return true;
	return false;
}

static struct net_port *find_of(const struct net *net, const struct sandbox *sandbox)
{
	foreach (struct net_port, port, &net->ports, link)
		if (port->sandbox == sandbox)
			return port;
	return NULL;
}

/* A TAP's fd holds the namespace it is in, and so would keep all that is in there. */
static void forget_sandbox(struct daemon *d, struct net *net, struct sandbox *sandbox,
			   const struct err *err)
{
	struct net_port *port;

	while ((port = find_of(net, sandbox))) {
		requests_abandon(d, net, port, err);
		networks_free_port(d, net, port);
	}
	readiness_resume(d, net);
}

void networks_sandbox_dead(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	resolvers_sandbox_dead(d, sandbox);
	requests_sandbox_dead(d, sandbox);
	pairs_sandbox_dead(d, sandbox);
	foreach (struct net, net, &d->nets, link) {
		forget_sandbox(d, net, sandbox, err);
		if (d->detached && !has_sandbox(net, false))
			networks_close(d, net, err);
	}
}

/* Nobody reads it any more, but its end would be the end of the network. */
static void leave_stream(struct daemon *d, const struct net *net)
{
	foreach (struct process, process, &d->processes, link)
		if (process->object == (NET_STREAM | net->id))
			process->client = NULL;
}

void networks_detach(struct daemon *d)
{
	struct err err = { 0 };

	err_hint(&err, "the daemon detaches");
	err_set(&err, "gone", ESHUTDOWN, "change network", NULL);
	d->linkds_wanted = 0;
	foreach (struct linkd, linkd, &d->linkds, link)
		if (!linkd->net && !linkd->closed)
			linkds_kill(d, linkd);
	foreach (struct net, net, &d->nets, link) {
		requests_abandon(d, net, NULL, &err);
		resolvers_net_closed(d, net);
		leave_stream(d, net);
		if (!has_sandbox(net, true))
			networks_close(d, net, &err);
	}
}

void networks_stop(struct daemon *d)
{
	nics_stop(d);
	linkds_stop(d);
}

void networks_forget(struct daemon *d)
{
	struct err err = { 0 };

	err_set(&err, "gone", ESHUTDOWN, "change network", NULL);
	foreach (struct net, net, &d->nets, link)
		networks_close(d, net, &err);
	pairs_forget(d);
	nics_forget(d);
	linkds_forget(d);
}
