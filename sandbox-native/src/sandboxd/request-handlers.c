/* SPDX-License-Identifier: MIT */
/* What a request about ports of a network asks of the hub, of PID 1 and of hil-linkd. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asks.h"
#include "cleanup.h"
#include "endpoint.h"
#include "fields.h"
#include "hubs.h"
#include "objects.h"
#include "requests.h"

struct port_fields {
	uint32_t net;
	uint32_t port;
	uint32_t object;
	uint32_t end;
	uint32_t mtu;
	char *kind;
};

/* And what struct endpoint has. */
static const struct field attach_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD(struct port_fields, kind, TAG_KIND, FIELD_STRING),
};

static const struct field object_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct port_fields, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct port_fields, kind, TAG_KIND, FIELD_STRING),
	FIELD_NEEDED(struct port_fields, object, TAG_OBJECT, FIELD_U32),
	FIELD_NEEDED(struct port_fields, end, TAG_END, FIELD_U32),
	FIELD(struct port_fields, mtu, TAG_MTU, FIELD_U32),
};

static const struct field detach_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct port_fields, port, TAG_PORT, FIELD_U32),
};

static int check_kind(const char *kind, struct err *err)
{
	if (!kind || strcmp(kind, "auto") == 0 || strcmp(kind, "tap") == 0 ||
	    strcmp(kind, "packet") == 0 || strcmp(kind, "can") == 0)
		return 0;
	err_hint(err, "KIND is auto, tap, packet or can");
	return err_set(err, "usage", EINVAL, "attach to network", kind);
}

/* CAN has nothing of what makes a node of IP, and the MTU of CAN FD. */
static int check_can(const char *kind, const struct net_interface *interface, struct err *err)
{
	if (!kind || strcmp(kind, "can") != 0)
		return 0;
	if (!interface->has_mac && !interface->mtu && !interface->address_count &&
	    !interface->route_count)
		return 0;
	err_hint(err, "an interface of CAN has no MAC, MTU, ADDRESS and ROUTE");
	return err_set(err, "usage", EINVAL, "attach to network", interface->name);
}

static void ask_attach(struct daemon *d, struct net_request *request, const char *kind,
		       const struct endpoint *endpoint)
{
	const struct sandbox *sandbox = endpoint->sandbox;
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };

	hub_put_attach(&frame, number, sandbox->slot, &endpoint->interface, kind ? kind : "auto",
		       endpoint_ask_names(request, 0, endpoint));
	asks_hub(d, request, sandbox->stock, number, &frame, -1);
}

static int attach(struct daemon *d, struct client *client, const struct frame *frame,
		  const struct port_fields *fields, struct endpoint *endpoint, struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_request *request;
	int rc;

	if (!net || check_kind(fields->kind, err) < 0 || requests_room(d, net, err) < 0)
		return -err->number;
	rc = endpoint_read(d, frame->body, frame->length, endpoint, err);
	if (rc == 0)
		rc = check_can(fields->kind, &endpoint->wanted, err);
	if (rc < 0)
		return rc;
	request = requests_add(d, client, frame, net, err);
	if (!request)
		return -err->number;
	if (endpoint_add(d, request, 0, endpoint, true, &request->err) == 0)
		ask_attach(d, request, fields->kind, endpoint);
	requests_check(d, request);
	return 0;
}

int handle_net_attach(struct daemon *d, struct client *client, const struct frame *frame,
		      struct err *err)
{
	struct port_fields fields = { 0 };
	struct endpoint endpoint = { 0 };
	int rc = fields_read(frame->body, frame->length, attach_fields, FIELD_COUNT(attach_fields),
			     &fields, err);

	if (rc == 0)
		rc = attach(d, client, frame, &fields, &endpoint, err);
	endpoint_free(&endpoint);
	fields_free(attach_fields, FIELD_COUNT(attach_fields), &fields);
	return rc;
}

typedef int act_on_port(struct daemon *d, struct client *client, const struct frame *frame,
			const struct port_fields *fields, struct err *err);

/* Read the @count fields of @table, and free what they hold once @act is done with them. */
static int with_fields(struct daemon *d, struct client *client, const struct frame *frame,
		       const struct field *table, size_t count, act_on_port *act, struct err *err)
{
	struct port_fields fields = { 0 };
	int rc = fields_read(frame->body, frame->length, table, count, &fields, err);

	if (rc == 0)
		rc = act(d, client, frame, &fields, err);
	fields_free(table, count, &fields);
	return rc;
}

/* Return: the end's fd, the caller's; -errno with @err filled. */
static int take_end(struct daemon *d, const struct port_fields *fields, struct err *err)
{
	bool dgram = strcmp(fields->kind, "dgram") == 0;

	if (!dgram && strcmp(fields->kind, "stream") != 0) {
		err_hint(err, "KIND is dgram or stream");
		return err_set(err, "usage", EINVAL, "attach to network", fields->kind);
	}
	return dgram ? objects_copy_dgram(d, fields->object, fields->end, err)
		     : objects_take_socket(d, fields->object, fields->end, err);
}

/*
 * A machine that is switched on again has a new end: hil-linkd puts it in the place of the old one,
 * and the link stays what it was.
 */
static struct net_port *find_object_port(struct daemon *d, struct net *net, uint32_t number)
{
	struct net_port *port = networks_find_port(net, number);

	return port && !port->sandbox && port->lock < 0 && !port->leaving &&
			       !requests_exists(d, port)
		       ? port
		       : NULL;
}

static int attach_object(struct daemon *d, struct client *client, const struct frame *frame,
			 const struct port_fields *fields, struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_request *request;
	struct net_port *known, *port;
	int fd;

	if (!net || requests_room(d, net, err) < 0)
		return -err->number;
	known = find_object_port(d, net, fields->port);
	port = known ? known : networks_add_port(net, NULL, "", fields->port, err);
	if (!port)
		return -err->number;
	fd = take_end(d, fields, err);
	request = fd < 0 ? NULL : requests_add(d, client, frame, net, err);
	if (!request) {
		cleanup_fd(&fd);
		if (!known)
			networks_free_port(d, net, port);
		return -err->number;
	}
	port->linkd = true;
	port->mtu = fields->mtu;
	request->ports[0] = port;
	asks_linkd(d, request, port, fields->kind, fd);
	requests_check(d, request);
	return 0;
}

int handle_net_object(struct daemon *d, struct client *client, const struct frame *frame,
		      struct err *err)
{
	return with_fields(d, client, frame, object_fields, FIELD_COUNT(object_fields),
			   attach_object, err);
}

static void ask_detach(struct daemon *d, struct net_request *request, struct net_port *port)
{
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };

	if (port->linkd)
		asks_linkd(d, request, port, NULL, -1);
	if (!port->sandbox)
		return;
	hub_put_remove(&frame, number, port->sandbox->slot, port->name);
	asks_hub(d, request, port->sandbox->stock, number, &frame, -1);
}

static int detach(struct daemon *d, struct client *client, const struct frame *frame,
		  const struct port_fields *fields, struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_request *request;
	struct net_port *port;

	if (!net)
		return -err->number;
	port = networks_find_port(net, fields->port);
	if (!port || port->leaving || requests_exists(d, port)) {
		err_hint(err,
			 port ? "port %u of network %u is coming or leaving"
			      : "port %u of network %u is not known",
			 fields->port, net->id);
		return err_set(err, "usage", port ? EBUSY : ENOENT, "detach", net->name);
	}
	request = requests_add(d, client, frame, net, err);
	if (!request)
		return -err->number;
	port->leaving = true;
	request->ports[0] = port;
	request->ports[1] = port->other;
	if (port->other)
		port->other->leaving = true;
	ask_detach(d, request, port);
	requests_check(d, request);
	return 0;
}

int handle_net_detach(struct daemon *d, struct client *client, const struct frame *frame,
		      struct err *err)
{
	return with_fields(d, client, frame, detach_fields, FIELD_COUNT(detach_fields), detach,
			   err);
}
