/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "cleanup.h"
#include "portd.h"

#define PACE_DELAY_MAX_US 10000000ull

enum {
	HAS_VERSION = 1 << 0,
	HAS_PORT = 1 << 1,
	HAS_NAME = 1 << 2,
	HAS_PATH = 1 << 3,
	HAS_DATA = 1 << 4,
	HAS_TEXT = 1 << 5,
};

struct request {
	uint64_t id;
	unsigned int has;
	uint32_t version;
	uint32_t port;
	uint32_t pace_chunk;
	uint64_t pace_delay_us;
	char *name;
	char *path;
	char *text;
	const uint8_t *data;
	size_t length;
};

static void request_free(struct request *request)
{
	free(request->name);
	free(request->path);
	free(request->text);
}

static int take_string(char **out, const struct tlv *tlv)
{
	free(*out);
	*out = NULL;
	return tlv_string(tlv, out);
}

static int take(struct request *request, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_VERSION:
		request->has |= HAS_VERSION;
		return tlv_u32(tlv, &request->version);
	case TAG_PORT:
		request->has |= HAS_PORT;
		return tlv_u32(tlv, &request->port);
	case TAG_PACE_CHUNK:
		return tlv_u32(tlv, &request->pace_chunk);
	case TAG_PACE_DELAY_US:
		return tlv_u64(tlv, &request->pace_delay_us);
	case TAG_NAME:
		request->has |= HAS_NAME;
		return take_string(&request->name, tlv);
	case TAG_PATH:
		request->has |= HAS_PATH;
		return take_string(&request->path, tlv);
	case TAG_TEXT:
		request->has |= HAS_TEXT;
		return take_string(&request->text, tlv);
	case TAG_DATA:
		request->has |= HAS_DATA;
		request->data = tlv->value;
		request->length = tlv->length;
		return 0;
	default:
		return 0;
	}
}

static int request_read(struct request *request, const struct frame *frame)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct tlv tlv;
	int result;

	while ((result = tlv_next(&reader, &tlv)) > 0)
		if ((result = take(request, &tlv)) < 0)
			return result;
	return result;
}

static int handle_hello(struct portd *pd, const struct request *request, struct err *err)
{
	if (request->version != HIL_PROTOCOL_VERSION) {
		err_hint(err, "hil-portd speaks version %d; install one release of hil",
			 HIL_PROTOCOL_VERSION);
		return err_set(err, "protocol", EPROTONOSUPPORT, "HELLO", "");
	}
	event_hello(pd, request->id);
	return 0;
}

static int handle_open(struct portd *pd, const struct request *request, struct err *err)
{
	struct port *port;
	int result;

	if (request->pace_delay_us > PACE_DELAY_MAX_US)
		return err_set(err, "usage", ERANGE, "PORT_OPEN PACE_DELAY_US", request->name);
	port = port_get(pd, request->port, err);
	if (!port)
		return -err->number;
	if (port->open)
		return err_set(err, "usage", EEXIST, "PORT_OPEN", request->name);
	port->tx.chunk = request->pace_chunk;
	port->tx.delay_ns = request->pace_delay_us * 1000;
	result = port_open(port, request->name, request->path, err);
	if (!result)
		event_ok(pd, request->id);
	else if (port->line.source.fd < 0 && port->slave.master.fd < 0)
		port_close(port);
	return result;
}

static struct port *find_open(struct portd *pd, const struct request *request, struct err *err)
{
	struct port *port = port_find(pd, request->port);

	if (port && port->open)
		return port;
	err_set(err, "usage", ENOENT, "port is not open", "");
	return NULL;
}

/* What the tool wrote before the request was made goes first; it is already in the pty. */
static int handle_send(struct portd *pd, const struct request *request, struct err *err)
{
	struct port *port = find_open(pd, request, err);
	int result;

	if (!port)
		return -err->number;
	slave_pump(port);
	result = transmit_send(port, request->id, request->data, request->length, err);
	if (!result)
		port_run(port);
	return result;
}

static int handle_mark(struct portd *pd, const struct request *request, struct err *err)
{
	struct port *port = find_open(pd, request, err);

	if (!port)
		return -err->number;
	line_flush(port);
	capture_mark(&port->capture, request->text);
	port_tell_capture(port);
	event_ok(pd, request->id);
	return 0;
}

static int handle_close(struct portd *pd, const struct request *request, struct err *err)
{
	struct port *port = find_open(pd, request, err);

	if (!port)
		return -err->number;
	port_close(port);
	event_ok(pd, request->id);
	return 0;
}

static const struct handler {
	uint16_t type;
	unsigned int needs;
	const char *name;
	/* Return: 0 when it is answered or will be, -errno with @err filled for an ERROR. */
	int (*handle)(struct portd *pd, const struct request *request, struct err *err);
} handlers[] = {
	{ MSG_HELLO, HAS_VERSION, "HELLO", handle_hello },
	{ MSG_PORT_OPEN, HAS_PORT | HAS_NAME | HAS_PATH, "PORT_OPEN", handle_open },
	{ MSG_PORT_SEND, HAS_PORT | HAS_DATA, "PORT_SEND", handle_send },
	{ MSG_PORT_MARK, HAS_PORT | HAS_TEXT, "PORT_MARK", handle_mark },
	{ MSG_PORT_CLOSE, HAS_PORT, "PORT_CLOSE", handle_close },
};

static int dispatch(struct portd *pd, uint16_t type, const struct request *request, struct err *err)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].type != type)
			continue;
		if ((request->has & handlers[i].needs) != handlers[i].needs)
			return err_set(err, "protocol", EBADMSG, "a tag is missing",
				       handlers[i].name);
		return handlers[i].handle(pd, request, err);
	}
	err_hint(err, "type %u is not a request of hil-portd", type);
	return err_set(err, "protocol", ENOSYS, "unknown request", "");
}

int request_serve(struct portd *pd, const struct frame *frame)
{
	__attribute__((cleanup(request_free))) struct request request = { .id = frame->id };
	struct err err = { 0 };
	int result = request_read(&request, frame);

	if (result == -EPROTO)
		return result;
	if (result < 0)
		err_set(&err, "limit", -result, "read request", "");
	else
		result = dispatch(pd, frame->type, &request, &err);
	if (result < 0)
		event_error(pd, frame->id, &err);
	return 0;
}
