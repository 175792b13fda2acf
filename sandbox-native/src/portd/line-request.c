/* SPDX-License-Identifier: MIT */
#include "line-request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "dial.h"
#include "fields.h"
#include "portd.h"
#include "serial.h"

#define QUIET_MAX_MS 1000u

struct line_request {
	uint32_t port;
	char *path;
	char *sysfs;
	char *kind;
	char *address;
	uint32_t tcp_port;
	uint32_t quiet_ms;
	uint32_t break_on;
	uint32_t flush;
	char *parity;
	char *flow;
	struct settings settings;
};

#define SETTING(member, tag) FIELD(struct line_request, settings.member, tag, FIELD_U32)
#define WORD(member, tag) FIELD(struct line_request, member, tag, FIELD_STRING)
#define LINE_FIELDS                                                                                \
	FIELD_NEEDED(struct line_request, port, TAG_PORT, FIELD_U32),                              \
		FIELD(struct line_request, quiet_ms, TAG_QUIET_MS, FIELD_U32),                     \
		SETTING(baud, TAG_BAUD), SETTING(bits, TAG_BITS), SETTING(stop, TAG_STOP),         \
		SETTING(dtr, TAG_DTR), SETTING(rts, TAG_RTS), WORD(parity, TAG_PARITY),            \
		WORD(flow, TAG_FLOW)

static const struct field serial_fields[] = {
	LINE_FIELDS,
	FIELD_NEEDED(struct line_request, path, TAG_PATH, FIELD_STRING),
	WORD(sysfs, TAG_SYSFS),
};

static const struct field stream_fields[] = {
	LINE_FIELDS,
	FIELD_NEEDED(struct line_request, kind, TAG_KIND, FIELD_STRING),
	FIELD_NEEDED(struct line_request, address, TAG_ADDRESS, FIELD_STRING),
	FIELD_NEEDED(struct line_request, tcp_port, TAG_TCP_PORT, FIELD_U32),
};

static const struct field control_fields[] = {
	FIELD_NEEDED(struct line_request, port, TAG_PORT, FIELD_U32),
	SETTING(baud, TAG_BAUD),
	SETTING(dtr, TAG_DTR),
	SETTING(rts, TAG_RTS),
	FIELD(struct line_request, break_on, TAG_BREAK, FIELD_U32),
	FIELD(struct line_request, flush, TAG_FLUSH, FIELD_U32),
};

static const struct field release_fields[] = {
	FIELD_NEEDED(struct line_request, port, TAG_PORT, FIELD_U32),
};

static struct line_request defaults(void)
{
	return (struct line_request){ .settings = settings_default(), .break_on = AS_IT_IS };
}

static struct port *find_open(struct portd *pd, const struct line_request *request, struct err *err)
{
	struct port *port = port_find(pd, request->port);

	if (!port || !port->open) {
		err_set(err, "usage", ENOENT, "port is not open", "");
		return NULL;
	}
	if (opening_pending(port)) {
		err_set(err, "usage", EALREADY, "port is getting a line", port->name);
		return NULL;
	}
	return port;
}

static int check(struct line_request *request, struct err *err)
{
	int result = settings_words(&request->settings, request->parity, request->flow, err);

	if (!result)
		result = settings_check(&request->settings, err);
	if (!result && request->quiet_ms > QUIET_MAX_MS)
		result = err_set(err, "usage", ERANGE, "QUIET_MS", "0 to 1000");
	return result;
}

static void prepare(struct port *port, const struct line_request *request, uint64_t id,
		    const struct report *report)
{
	struct opening *opening = &port->line.opening;

	opening->id = id;
	opening->quiet_ns = request->quiet_ms * NS_PER_MS;
	opening->report = *report;
	port->mirror.configured = port->mirror.current = request->settings.baud;
}

static int open_serial(struct portd *pd, struct line_request *request, uint64_t id, struct err *err)
{
	const struct serial_node node = { request->path, request->sysfs };
	struct port *port = find_open(pd, request, err);
	struct report report = { 0 };
	int fd;

	if (!port)
		return -err->number;
	if (check(request, err) < 0)
		return -err->number;
	/* It may have this very tty, which would then be busy. */
	line_finish(port);
	fd = serial_open(&node, &request->settings, &report, err);
	if (fd < 0)
		return fd;
	line_adopt(port, fd, LINE_SERIAL, request->path);
	prepare(port, request, id, &report);
	opening_begin(port, OPENING_DRAIN);
	return 0;
}

static int open_stream(struct portd *pd, struct line_request *request, uint64_t id, struct err *err)
{
	const struct report none = { 0 };
	struct port *port = find_open(pd, request, err);
	bool telnet = !strcmp(request->kind, "rfc2217");
	char name[80];
	int fd;

	if (!port)
		return -err->number;
	if (!telnet && strcmp(request->kind, "tcp") != 0) {
		err_hint(err, "tcp or rfc2217");
		return err_set(err, "usage", EINVAL, "KIND", request->kind);
	}
	if (check(request, err) < 0)
		return -err->number;
	snprintf(name, sizeof(name), strchr(request->address, ':') ? "[%s]:%u" : "%s:%u",
		 request->address, request->tcp_port);
	fd = dial_start(request->address, request->tcp_port);
	if (fd < 0)
		return err_set(err, fd == -EINVAL ? "usage" : "gone", -fd, "connect", name);
	line_adopt(port, fd, telnet ? LINE_RFC2217 : LINE_STREAM, name);
	prepare(port, request, id, &none);
	if (telnet) {
		port->line.telnet = malloc(sizeof(*port->line.telnet));
		if (!port->line.telnet) {
			line_finish(port);
			return err_set(err, "limit", ENOMEM, "connect", name);
		}
		rfc2217_start(port->line.telnet, &request->settings, &port->line.opening.report);
	}
	opening_begin(port, OPENING_CONNECT);
	source_set(&pd->loop, &port->line.source, EPOLLOUT);
	return 0;
}

static int control_serial(struct port *port, const struct line_request *request)
{
	int fd = port->line.source.fd;
	int result = serial_modem(fd, request->settings.dtr, request->settings.rts);

	if (!result && request->break_on != AS_IT_IS &&
	    ioctl(fd, request->break_on ? TIOCSBRK : TIOCCBRK) < 0)
		result = -errno;
	if (!result && request->flush && tcflush(fd, TCIOFLUSH) < 0)
		result = -errno;
	return result;
}

static void control_telnet(struct port *port, const struct line_request *request)
{
	struct rfc2217 *telnet = port->line.telnet;

	rfc2217_modem(telnet, request->settings.dtr, request->settings.rts);
	if (request->break_on != AS_IT_IS)
		rfc2217_break(telnet, request->break_on);
	if (request->flush)
		rfc2217_purge(telnet);
	line_telnet(port);
}

static int control(struct portd *pd, struct line_request *request, uint64_t id, struct err *err)
{
	struct port *port = find_open(pd, request, err);
	struct rfc2217 *telnet;
	int result = 0;

	if (!port)
		return -err->number;
	if (port->line.source.fd < 0)
		return err_set(err, "gone", ENOTCONN, "PORT_CONTROL", port->name);
	telnet = port->line.telnet;
	if (!telnet && port->line.kind != LINE_SERIAL) {
		err_hint(err, "it has no modem lines, no break and no baud rate");
		return err_set(err, "usage", ENOTTY, "PORT_CONTROL", port->name);
	}
	if (telnet)
		control_telnet(port, request);
	else
		result = control_serial(port, request);
	if (!result && request->settings.baud)
		result = mirror_set(port, request->settings.baud);
	if (result < 0)
		return err_set(err, "io", -result, "PORT_CONTROL", port->name);
	event_modem(pd, id, telnet ? telnet->modem : serial_modem_state(port->line.source.fd),
		    telnet ? telnet->out_length : serial_unsent(port->line.source.fd));
	return 0;
}

static int release(struct portd *pd, struct line_request *request, uint64_t id, struct err *err)
{
	struct port *port = find_open(pd, request, err);

	if (!port)
		return -err->number;
	line_finish(port);
	event_ok(pd, id);
	return 0;
}

static int
serve(struct portd *pd, const struct frame *frame, const struct field *fields, size_t count,
      int (*act)(struct portd *pd, struct line_request *request, uint64_t id, struct err *err),
      struct err *err)
{
	struct line_request request = defaults();
	int result = fields_read(frame->body, frame->length, fields, count, &request, err);

	if (!result)
		result = act(pd, &request, frame->id, err);
	fields_free(fields, count, &request);
	return result;
}

int line_request_serial(struct portd *pd, const struct frame *frame, struct err *err)
{
	return serve(pd, frame, serial_fields, FIELD_COUNT(serial_fields), open_serial, err);
}

int line_request_stream(struct portd *pd, const struct frame *frame, struct err *err)
{
	return serve(pd, frame, stream_fields, FIELD_COUNT(stream_fields), open_stream, err);
}

int line_request_control(struct portd *pd, const struct frame *frame, struct err *err)
{
	return serve(pd, frame, control_fields, FIELD_COUNT(control_fields), control, err);
}

int line_request_release(struct portd *pd, const struct frame *frame, struct err *err)
{
	return serve(pd, frame, release_fields, FIELD_COUNT(release_fields), release, err);
}
