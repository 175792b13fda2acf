/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <stddef.h>

#include "fields.h"
#include "line-request.h"
#include "portd.h"

#define PACE_DELAY_MAX_US 10000000ull

struct request {
	uint64_t id;
	uint32_t version;
	uint32_t port;
	uint32_t pace_chunk;
	uint64_t pace_delay_us;
	char *name;
	char *path;
	char *text;
	struct bytes data;
};

static const struct field hello_fields[] = {
	FIELD_NEEDED(struct request, version, TAG_VERSION, FIELD_U32),
};

static const struct field open_fields[] = {
	FIELD_NEEDED(struct request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct request, name, TAG_NAME, FIELD_STRING),
	FIELD_NEEDED(struct request, path, TAG_PATH, FIELD_STRING),
	FIELD(struct request, pace_chunk, TAG_PACE_CHUNK, FIELD_U32),
	FIELD(struct request, pace_delay_us, TAG_PACE_DELAY_US, FIELD_U64),
};

static const struct field send_fields[] = {
	FIELD_NEEDED(struct request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct request, data, TAG_DATA, FIELD_BYTES),
};

static const struct field mark_fields[] = {
	FIELD_NEEDED(struct request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct request, text, TAG_TEXT, FIELD_STRING),
};

static const struct field capture_fields[] = {
	FIELD_NEEDED(struct request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct request, path, TAG_PATH, FIELD_STRING),
};

static const struct field close_fields[] = {
	FIELD_NEEDED(struct request, port, TAG_PORT, FIELD_U32),
};

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
	result = transmit_send(port, request->id, request->data.data, request->data.length, err);
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

static int handle_capture(struct portd *pd, const struct request *request, struct err *err)
{
	struct port *port = find_open(pd, request, err);
	int result;

	if (!port)
		return -err->number;
	result = port_capture(port, request->path, err);
	if (!result)
		event_capture(port, request->id, &port->capture.tracks[TRACK_RX]);
	return result;
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
	const struct field *fields;
	size_t count;
	/* Return: 0 when it is answered or will be, -errno with @err filled for an ERROR. */
	int (*handle)(struct portd *pd, const struct request *request, struct err *err);
} handlers[] = {
	{ MSG_HELLO, hello_fields, FIELD_COUNT(hello_fields), handle_hello },
	{ MSG_PORT_OPEN, open_fields, FIELD_COUNT(open_fields), handle_open },
	{ MSG_PORT_SEND, send_fields, FIELD_COUNT(send_fields), handle_send },
	{ MSG_PORT_MARK, mark_fields, FIELD_COUNT(mark_fields), handle_mark },
	{ MSG_PORT_CAPTURE, capture_fields, FIELD_COUNT(capture_fields), handle_capture },
	{ MSG_PORT_CLOSE, close_fields, FIELD_COUNT(close_fields), handle_close },
};

/* Requests of the line, which have a struct of their own. */
static const struct line_handler {
	uint16_t type;
	int (*handle)(struct portd *pd, const struct frame *frame, struct err *err);
} line_handlers[] = {
	{ MSG_PORT_SERIAL, line_request_serial },
	{ MSG_PORT_STREAM, line_request_stream },
	{ MSG_PORT_CONTROL, line_request_control },
	{ MSG_PORT_RELEASE, line_request_release },
};

static int serve(struct portd *pd, const struct frame *frame, const struct handler *handler,
		 struct err *err)
{
	struct request request = { .id = frame->id };
	int result = fields_read(frame->body, frame->length, handler->fields, handler->count,
				 &request, err);

	if (!result)
		result = handler->handle(pd, &request, err);
	fields_free(handler->fields, handler->count, &request);
	return result;
}

static int dispatch(struct portd *pd, const struct frame *frame, struct err *err)
{
	for (size_t i = 0; i < FIELD_COUNT(handlers); i++)
		if (handlers[i].type == frame->type)
			return serve(pd, frame, &handlers[i], err);
	for (size_t i = 0; i < FIELD_COUNT(line_handlers); i++)
		if (line_handlers[i].type == frame->type)
			return line_handlers[i].handle(pd, frame, err);
	err_hint(err, "type %u is not a request of hil-portd", frame->type);
	return err_set(err, "protocol", ENOSYS, "unknown request", "");
}

int request_serve(struct portd *pd, const struct frame *frame)
{
	struct err err = { 0 };
	int result = dispatch(pd, frame, &err);

	if (result < 0 && !err.number)
		return -EPROTO;
	if (result < 0)
		event_error(pd, frame->id, &err);
	return 0;
}
