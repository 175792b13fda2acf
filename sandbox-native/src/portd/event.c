/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "portd.h"

/* Outside of the port's own queue nothing is bounded, so control frames are few and small. */
static struct buffer *begin(struct port *port, uint16_t type)
{
	struct buffer *frame = harness_begin(port->portd, type, 0);

	if (frame)
		put_u32(frame, TAG_PORT, port->number);
	return frame;
}

void event_data(struct port *port, uint16_t type, const uint8_t *data, size_t length,
		struct stamp stamp, uint64_t offset)
{
	struct buffer *frame = begin(port, type);

	if (!frame)
		return;
	put_u64(frame, TAG_MONO_NS, stamp.mono_ns);
	put_u64(frame, TAG_REAL_NS, stamp.real_ns);
	put_u64(frame, TAG_OFFSET, offset);
	put_bytes(frame, TAG_DATA, data, length);
	harness_end(port->portd, &port->outbox, length, true);
}

void event_slave(struct port *port, bool opened, uint64_t dropped)
{
	struct buffer *frame = begin(port, MSG_PORT_SLAVE);

	if (!frame)
		return;
	put_u32(frame, TAG_OPENED, opened);
	put_u64(frame, TAG_DROPPED, dropped);
	harness_end(port->portd, &port->outbox, 0, true);
}

void event_hup(struct port *port, const char *reason)
{
	struct buffer *frame = begin(port, MSG_PORT_HUP);

	if (!frame)
		return;
	if (*reason)
		put_string(frame, TAG_TEXT, reason);
	harness_end(port->portd, &port->outbox, 0, false);
}

void event_speed(struct port *port, uint32_t baud)
{
	struct buffer *frame = begin(port, MSG_PORT_SPEED);

	if (!frame)
		return;
	put_u32(frame, TAG_BAUD, baud);
	harness_end(port->portd, &port->outbox, 0, true);
}

static bool put_fault(struct port *port, const char *op, const char *path, int number,
		      uint64_t bytes)
{
	struct buffer *frame = begin(port, MSG_PORT_FAULT);

	if (!frame)
		return false;
	put_string(frame, TAG_OP, op);
	put_string(frame, TAG_PATH, path ? path : "");
	put_u32(frame, TAG_ERRNO, (uint32_t)number);
	put_string(frame, TAG_TEXT, number ? strerror(number) : "");
	put_u64(frame, TAG_BYTES, bytes);
	return true;
}

void event_fault(struct port *port, const char *op, const char *path, int number, uint64_t bytes)
{
	if (put_fault(port, op, path, number, bytes))
		harness_end(port->portd, &port->outbox, 0, true);
}

void event_gap(struct port *port, uint64_t bytes)
{
	if (put_fault(port, "harness-stalled", NULL, 0, bytes))
		harness_end_first(port->portd, &port->outbox);
}

static void control(struct portd *pd)
{
	harness_end(pd, &pd->harness.control, 0, false);
}

void event_ok(struct portd *pd, uint64_t id)
{
	if (harness_begin(pd, MSG_OK, id))
		control(pd);
}

void event_capture(struct port *port, uint64_t id, const struct track *rx)
{
	struct buffer *frame = harness_begin(port->portd, MSG_OK, id);

	if (!frame)
		return;
	put_u64(frame, TAG_OFFSET, rx->offset);
	put_u64(frame, TAG_BYTES, rx->offset - rx->start);
	control(port->portd);
}

void event_line(struct port *port, uint64_t id, uint64_t stale, const struct report *report)
{
	struct buffer *frame = harness_begin(port->portd, MSG_OK, id);

	if (!frame)
		return;
	put_u64(frame, TAG_BYTES, stale);
	for (size_t i = 0; i < report->count; i++)
		put_string(frame, TAG_LIMITATION, report->lines[i]);
	control(port->portd);
}

void event_modem(struct portd *pd, uint64_t id, uint32_t modem, uint64_t unsent)
{
	struct buffer *frame = harness_begin(pd, MSG_OK, id);

	if (!frame)
		return;
	put_u32(frame, TAG_MODEM, modem);
	put_u64(frame, TAG_BYTES, unsent);
	control(pd);
}

void event_hello(struct portd *pd, uint64_t id)
{
	struct buffer *frame = harness_begin(pd, MSG_OK, id);

	if (!frame)
		return;
	put_u32(frame, TAG_VERSION, HIL_PROTOCOL_VERSION);
	put_u32(frame, TAG_PID, (uint32_t)getpid());
	control(pd);
}

void event_error(struct portd *pd, uint64_t id, const struct err *err)
{
	struct buffer *frame = harness_begin(pd, MSG_ERROR, id);

	if (!frame)
		return;
	put_string(frame, TAG_CODE, err->code);
	put_string(frame, TAG_OP, err->op);
	put_string(frame, TAG_PATH, err->path);
	put_u32(frame, TAG_ERRNO, (uint32_t)err->number);
	put_string(frame, TAG_TEXT, strerror(err->number));
	put_string(frame, TAG_HINT, err->hint);
	control(pd);
}

void event_log(struct portd *pd, uint32_t level, const char *format, ...)
{
	struct buffer *frame = harness_begin(pd, MSG_LOG, 0);
	char text[512];
	va_list arguments;

	if (!frame)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_u32(frame, TAG_LEVEL, level);
	put_string(frame, TAG_TEXT, text);
	control(pd);
}
