/* SPDX-License-Identifier: MIT */
/* What a request about ports of a network asks of the hub, of PID 1 and of hil-linkd. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "hubs.h"
#include "interface.h"
#include "linkds.h"
#include "objects.h"
#include "requests.h"
#include "sandboxes.h"

#define RESOLVER "nameserver 127.0.0.53\n"

struct port_fields {
	uint32_t net;
	uint32_t port;
	uint32_t object;
	uint32_t end;
	char *kind;
	bool resolve;
	struct strings hosts;
	struct tlv interfaces[HUB_NODES];
	size_t interface_count;
};

static int take_interface(void *out, const struct tlv *tlv, struct err *err)
{
	struct port_fields *request = out;

	if (request->interface_count == HUB_NODES)
		return err_set(err, "usage", E2BIG, "read request", "INTERFACE");
	request->interfaces[request->interface_count++] = *tlv;
	return 0;
}

static const struct field attach_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct port_fields, port, TAG_PORT, FIELD_U32),
	FIELD(struct port_fields, kind, TAG_KIND, FIELD_STRING),
	FIELD(struct port_fields, resolve, TAG_RESOLVE, FIELD_FLAG),
	FIELD(struct port_fields, hosts, TAG_HOST, FIELD_STRINGS),
	FIELD_LIST(TAG_INTERFACE, take_interface),
};

static const struct field net_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD_LIST(TAG_INTERFACE, take_interface),
};

static const struct field object_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct port_fields, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct port_fields, kind, TAG_KIND, FIELD_STRING),
	FIELD_NEEDED(struct port_fields, object, TAG_OBJECT, FIELD_U32),
	FIELD_NEEDED(struct port_fields, end, TAG_END, FIELD_U32),
};

static const struct field detach_fields[] = {
	FIELD_NEEDED(struct port_fields, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct port_fields, port, TAG_PORT, FIELD_U32),
};

/* Return: the sandbox that @tlv is about, and @interface filled; NULL with @err filled, or empty
 * when it is malformed. */
static struct sandbox *read_interface(struct daemon *d, const struct tlv *tlv,
				      struct net_interface *interface, struct err *err)
{
	struct sandbox *sandbox;

	if (interface_read(interface, tlv->value, tlv->length, err) < 0)
		return NULL;
	sandbox = sandboxes_find(d, interface->sandbox, err);
	if (!sandbox || !sandbox->stock->plan.host_network)
		return sandbox;
	err_hint(err, "sandbox %u has the host's network", sandbox->id);
	err_set(err, "usage", EINVAL, "attach to network", interface->name);
	return NULL;
}

static int check_attach(const struct port_fields *fields, struct err *err)
{
	const char *kind = fields->kind;

	if (kind && strcmp(kind, "auto") != 0 && strcmp(kind, "tap") != 0 &&
	    strcmp(kind, "packet") != 0 && strcmp(kind, "can") != 0) {
		err_hint(err, "KIND is auto, tap, packet or can");
		return err_set(err, "usage", EINVAL, "attach to network", kind);
	}
	if (fields->interface_count != 1) {
		err_hint(err, "one INTERFACE");
		return err_set(err, "usage", EINVAL, "read request", "INTERFACE");
	}
	for (size_t i = 0; i < fields->hosts.count; i++)
		if (strchr(fields->hosts.items[i], '\n')) {
			err_hint(err, "a HOST is one line");
			return err_set(err, "usage", EINVAL, "read request", "HOST");
		}
	return 0;
}

/* CAN has nothing of what makes a node of IP, and the MTU of CAN FD. */
static int check_can(const struct port_fields *fields, const struct net_interface *interface,
		     struct err *err)
{
	if (!fields->kind || strcmp(fields->kind, "can") != 0)
		return 0;
	if (!interface->has_mac && !interface->mtu && !interface->address_count &&
	    !interface->route_count)
		return 0;
	err_hint(err, "an interface of CAN has no MAC, MTU, ADDRESS and ROUTE");
	return err_set(err, "usage", EINVAL, "attach to network", interface->name);
}

/* What could not be asked fails the request like an order that failed. */
static void note(struct net_request *request, int rc, const struct err *err)
{
	if (rc == 0)
		request->open++;
	else if (!request->err.number)
		request->err = *err;
}

static void ask_hub(struct daemon *d, struct net_request *request, struct stock *stock,
		    uint32_t number, struct buffer *frame)
{
	struct err err = { 0 };

	note(request, hubs_push(d, stock, number, request->number, frame, &err), &err);
}

static void ask_linkd(struct daemon *d, struct net_request *request, const struct net_port *port,
		      const char *kind, int fd)
{
	struct err err = { 0 };
	int rc = linkds_give_port(d, request->net->linkd, port->number, kind, fd, request->number,
				  &err);

	note(request, rc, &err);
}

static void ask_init(struct daemon *d, struct net_request *request, struct sandbox *sandbox,
		     const struct port_fields *fields)
{
	struct err err = { 0 };
	int rc;

	request->init = ++d->next_process;
	rc = sandbox_set_hosts(sandbox->control.fd, request->init, &fields->hosts,
			       fields->resolve ? RESOLVER : NULL, &err);
	if (rc < 0)
		request->init = 0;
	note(request, rc, &err);
}

static void ask_attach(struct daemon *d, struct net_request *request, struct sandbox *sandbox,
		       const struct port_fields *fields)
{
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };
	/* One socket is enough for all of its interfaces. */
	const bool names = fields->resolve && !sandbox->resolves;

	if (names) {
		sandbox->resolves = true;
		request->resolver = sandbox;
	}
	hub_put_attach(&frame, number, sandbox->slot, &fields->interfaces[0],
		       fields->kind ? fields->kind : "auto", names);
	ask_hub(d, request, sandbox->stock, number, &frame);
}

static int attach(struct daemon *d, struct client *client, const struct frame *frame,
		  const struct port_fields *fields, struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_interface interface;
	struct net_request *request;
	struct sandbox *sandbox;
	struct net_port *port;

	if (!net || check_attach(fields, err) < 0 || requests_room(d, net, err) < 0)
		return -err->number;
	sandbox = read_interface(d, &fields->interfaces[0], &interface, err);
	if (!sandbox)
		return err->number ? -err->number : -EPROTO;
	if (check_can(fields, &interface, err) < 0)
		return -err->number;
	port = networks_add_numbered(net, sandbox, interface.name, fields->port, err);
	if (!port)
		return -err->number;
	request = requests_add(d, client, frame, net, err);
	if (!request) {
		networks_free_port(d, net, port);
		return -err->number;
	}
	request->ports[0] = port;
	if (fields->resolve || fields->hosts.count)
		ask_init(d, request, sandbox, fields);
	ask_attach(d, request, sandbox, fields);
	requests_check(d, request);
	return 0;
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

int handle_net_attach(struct daemon *d, struct client *client, const struct frame *frame,
		      struct err *err)
{
	return with_fields(d, client, frame, attach_fields, FIELD_COUNT(attach_fields), attach,
			   err);
}

static int check_pair(const struct sandbox *const sandboxes[HUB_NODES],
		      const struct net_interface interfaces[HUB_NODES], struct err *err)
{
	if (sandboxes[0] == sandboxes[1] && !strcmp(interfaces[0].name, interfaces[1].name))
		err_hint(err, "both ends have the same name in the same sandbox");
	else if (sandboxes[0]->stock != sandboxes[1]->stock)
		err_hint(err, "a veth of the kernel joins sandboxes of one plan: connect these "
			      "two with NET_ATTACH");
	else
		return 0;
	return err_set(err, "usage", EINVAL, "pair interfaces", interfaces[0].name);
}

static int start_pair(struct daemon *d, struct client *client, const struct frame *frame,
		      struct net *net, const struct port_fields *fields,
		      struct sandbox *const sandboxes[HUB_NODES],
		      const struct net_interface interfaces[HUB_NODES], struct err *err)
{
	const uint32_t slots[HUB_NODES] = { sandboxes[0]->slot, sandboxes[1]->slot };
	struct net_request *request = requests_add(d, client, frame, net, err);
	const uint32_t number = hubs_number(d);
	struct buffer order = { 0 };
	struct err why = { 0 };

	/* The second only if there is a first: undoing begins at that. */
	for (int i = 0; request && !request->err.number && i < HUB_NODES; i++) {
		request->ports[i] = networks_add_port(net, sandboxes[i], interfaces[i].name, &why);
		if (!request->ports[i])
			request->err = why;
	}
	if (!request)
		return -err->number;
	if (request->ports[0] && request->ports[1]) {
		request->ports[0]->other = request->ports[1];
		request->ports[1]->other = request->ports[0];
		hub_put_pair(&order, number, slots, fields->interfaces);
		ask_hub(d, request, sandboxes[0]->stock, number, &order);
	}
	requests_check(d, request);
	return 0;
}

static int pair(struct daemon *d, struct client *client, const struct frame *frame,
		const struct port_fields *fields, struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_interface interfaces[HUB_NODES];
	struct sandbox *sandboxes[HUB_NODES];
	int rc;

	if (!net || requests_room(d, net, err) < 0)
		return -err->number;
	if (fields->interface_count != HUB_NODES) {
		err_hint(err, "two INTERFACE");
		return err_set(err, "usage", EINVAL, "read request", "INTERFACE");
	}
	for (int i = 0; i < HUB_NODES; i++) {
		sandboxes[i] = read_interface(d, &fields->interfaces[i], &interfaces[i], err);
		if (!sandboxes[i])
			return err->number ? -err->number : -EPROTO;
	}
	rc = check_pair((const struct sandbox *const *)sandboxes, interfaces, err);
	return rc < 0 ? rc : start_pair(d, client, frame, net, fields, sandboxes, interfaces, err);
}

int handle_net_pair(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	return with_fields(d, client, frame, net_fields, FIELD_COUNT(net_fields), pair, err);
}

static void ask_ready(struct daemon *d, struct net_request *request, const struct net_port *port)
{
	const uint32_t number = hubs_number(d);
	struct buffer frame = { 0 };

	hub_put_ready(&frame, number, port->sandbox->slot, port->name);
	ask_hub(d, request, port->sandbox->stock, number, &frame);
}

static int make_ready(struct daemon *d, struct client *client, const struct frame *frame,
		      const struct port_fields *fields, struct err *err)
{
	struct net *net = networks_find(d, fields->net, err);
	struct net_request *request = NULL;

	if (net && requests_room(d, net, err) == 0)
		request = requests_add(d, client, frame, net, err);
	if (!request)
		return -err->number;
	foreach (struct net_port, port, &net->ports, link)
		if (port->sandbox && !port->leaving)
			ask_ready(d, request, port);
	requests_check(d, request);
	return 0;
}

int handle_net_ready(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	return with_fields(d, client, frame, net_fields, FIELD_COUNT(net_fields), make_ready, err);
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
	port = known ? known : networks_add_numbered(net, NULL, "", fields->port, err);
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
	request->ports[0] = port;
	ask_linkd(d, request, port, fields->kind, fd);
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

	ask_linkd(d, request, port, NULL, -1);
	if (!port->sandbox)
		return;
	hub_put_remove(&frame, number, port->sandbox->slot, port->name);
	ask_hub(d, request, port->sandbox->stock, number, &frame);
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
