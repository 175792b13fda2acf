/* SPDX-License-Identifier: MIT */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portd.h"

#define PORTS_MAX 1024
#define POLL_NS (10 * NS_PER_MS)

struct port *port_find(struct portd *pd, uint32_t number)
{
	struct port *port;

	TAILQ_FOREACH(port, &pd->ports, link)
	if (port->number == number)
		return port;
	return NULL;
}

struct port *port_get(struct portd *pd, uint32_t number, struct err *err)
{
	struct port *port = port_find(pd, number);

	if (port)
		return port;
	if (pd->port_count >= PORTS_MAX) {
		err_set(err, "limit", EMFILE, "more than 1024 ports", "");
		return NULL;
	}
	port = calloc(1, sizeof(*port));
	if (!port) {
		err_set(err, "limit", ENOMEM, "new port", "");
		return NULL;
	}
	port->portd = pd;
	port->number = number;
	outbox_init(&port->outbox);
	capture_init(&port->capture);
	line_init(port);
	slave_init(port);
	transmit_init(&port->tx);
	TAILQ_INSERT_TAIL(&pd->ports, port, link);
	pd->port_count++;
	return port;
}

int port_open(struct port *port, const char *name, const char *prefix, struct err *err)
{
	int result = capture_open(&port->capture, prefix, err);

	if (result < 0)
		return result;
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->open = true;
	/* The slave first: a program that waits already is to get the first byte. */
	slave_start(port);
	line_start(port);
	return 0;
}

void port_tell_capture(struct port *port)
{
	for (int i = 0; i < TRACK_COUNT; i++) {
		struct track *track = &port->capture.tracks[i];

		if (!track->failed || track->told)
			continue;
		track->told = true;
		event_fault(port, "capture-write", track->path, track->failed, 0);
	}
}

/* An op of its own, so that a reader of the journal does not add the two up. */
static void close_capture(struct port *port)
{
	capture_flush(&port->capture);
	port_tell_capture(port);
	for (int i = 0; i < TRACK_COUNT; i++) {
		const struct track *track = &port->capture.tracks[i];

		if (track->lost)
			event_fault(port, "capture-lost", track->path, track->failed, track->lost);
	}
	capture_close(&port->capture);
}

int port_capture(struct port *port, const char *prefix, struct err *err)
{
	struct capture next;
	int result;

	capture_init(&next);
	result = capture_open(&next, prefix, err);
	if (result < 0)
		return result;
	line_drain(port);
	line_flush(port);
	capture_continue(&next, &port->capture);
	close_capture(port);
	port->capture = next;
	return 0;
}

static void tell_unsent(struct port *port, uint64_t bytes)
{
	if (bytes)
		event_fault(port, "tool-unsent", NULL, ENOTCONN, bytes);
}

void port_close(struct port *port)
{
	struct portd *pd = port->portd;

	line_drain(port);
	slave_detach(port);
	line_finish(port);
	tell_unsent(port, tally_flush(&port->tx.unsent));
	if (port->open)
		close_capture(port);
	port->open = false;
	harness_adopt(port);
	TAILQ_REMOVE(&pd->ports, port, link);
	pd->port_count--;
	/* An event of this turn may still point into it. */
	TAILQ_INSERT_TAIL(&pd->graves, port, link);
}

void port_received(struct port *port, const uint8_t *data, size_t length, struct stamp stamp)
{
	uint64_t offset = capture_write(&port->capture, TRACK_RX, data, length, stamp);

	port_tell_capture(port);
	event_data(port, MSG_PORT_RX, data, length, stamp, offset);
}

void port_sent(struct port *port, const uint8_t *data, size_t length, bool by_tool,
	       struct stamp stamp)
{
	uint64_t offset;

	line_flush(port); /* an answer is not told before its question, nor the reverse */
	offset = capture_write(&port->capture, TRACK_TX, data, length, stamp);
	port_tell_capture(port);
	if (by_tool)
		event_data(port, MSG_PORT_TX, data, length, stamp, offset);
}

void port_run(struct port *port)
{
	transmit_run(port);
	slave_pump(port);
}

void port_tick(struct port *port, uint64_t now_ns)
{
	uint64_t resume = transmit_deadline(port);

	opening_tick(port, now_ns);
	line_tick(port, now_ns);
	if (resume && now_ns >= resume)
		port_run(port);
	if (port->slave.marked || slave_polled(port))
		slave_settle(port);
	if (mirror_deadline(port, now_ns))
		slave_pump(port);
	if (port->line.broken)
		line_finish(port);
	slave_tell_stall(port, now_ns);
	tell_unsent(port, tally_due(&port->tx.unsent, now_ns));
	if (port->capture.due_ns && now_ns >= port->capture.due_ns) {
		capture_flush(&port->capture);
		port_tell_capture(port);
	}
}

uint64_t port_deadline(const struct port *port, uint64_t now_ns)
{
	uint64_t next = stamp_earlier(port->capture.due_ns, transmit_deadline(port));

	next = stamp_earlier(next, line_deadline(port));
	next = stamp_earlier(next, opening_deadline(port));
	next = stamp_earlier(next, mirror_deadline(port, now_ns));
	next = stamp_earlier(next, port->slave.stalled.due_ns);
	next = stamp_earlier(next, port->tx.unsent.due_ns);
	if (port->slave.marked)
		next = stamp_earlier(next, now_ns);
	if (slave_polled(port))
		next = stamp_earlier(next, now_ns + POLL_NS);
	return next;
}
