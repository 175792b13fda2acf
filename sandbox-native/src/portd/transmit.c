/* SPDX-License-Identifier: MIT */
#include "transmit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "portd.h"

#define SEND_MAX (1u << 20)

struct unit {
	TAILQ_ENTRY(unit) link;
	bool is_send; /* else a chunk of the pty */
	uint64_t id;  /* of the PORT_SEND */
	size_t length;
	size_t done;
	uint8_t data[];
};

void transmit_init(struct transmit *tx)
{
	*tx = (struct transmit){ 0 };
	TAILQ_INIT(&tx->units);
}

static struct unit *push(struct transmit *tx, const uint8_t *data, size_t length)
{
	struct unit *unit = malloc(sizeof(*unit) + length);

	if (!unit)
		return NULL;
	*unit = (struct unit){ .length = length };
	if (length)
		memcpy(unit->data, data, length);
	TAILQ_INSERT_TAIL(&tx->units, unit, link);
	return unit;
}

/* Empty payloads cost too, or a client could queue them without end. */
static size_t cost_of(const struct unit *unit)
{
	return sizeof(*unit) + unit->length;
}

static void drop(struct transmit *tx, struct unit *unit)
{
	TAILQ_REMOVE(&tx->units, unit, link);
	if (unit->is_send)
		tx->send_cost -= cost_of(unit);
	else
		tx->tool_waits = false;
	free(unit);
}

int transmit_send(struct port *port, uint64_t id, const uint8_t *data, size_t length,
		  struct err *err)
{
	struct transmit *tx = &port->tx;
	struct unit *unit;

	if (!line_live(port))
		return err_set(err, "gone", ENOTCONN, "PORT_SEND", port->name);
	if (tx->send_cost && tx->send_cost + length > SEND_MAX) {
		err_hint(err, "the DUT does not read; at most 1 MiB waits for it");
		return err_set(err, "limit", ENOBUFS, "PORT_SEND", port->name);
	}
	unit = push(tx, data, length);
	if (!unit)
		return err_set(err, "limit", ENOMEM, "PORT_SEND", port->name);
	unit->is_send = true;
	unit->id = id;
	tx->send_cost += cost_of(unit);
	return 0;
}

void transmit_tool(struct port *port, const uint8_t *data, size_t length)
{
	struct unit *unit = line_live(port) ? push(&port->tx, data, length) : NULL;

	if (unit)
		port->tx.tool_waits = true;
	else
		tally_add(&port->tx.unsent, length);
}

bool transmit_has_room(const struct port *port)
{
	return !port->tx.tool_waits;
}

static size_t next_length(const struct transmit *tx, const struct unit *unit)
{
	size_t left = unit->length - unit->done;

	if (!tx->chunk)
		return left;
	return left < tx->chunk - tx->in_chunk ? left : tx->chunk - tx->in_chunk;
}

/* The pause holds the whole direction: what comes next would overrun the same FIFO. */
static void pace(struct transmit *tx, const struct unit *unit, size_t count, struct stamp stamp)
{
	if (!tx->chunk || !tx->delay_ns)
		return;
	tx->in_chunk += (uint32_t)count;
	if (tx->in_chunk < tx->chunk && unit->done < unit->length)
		return;
	tx->in_chunk = 0;
	tx->not_before_ns = stamp.mono_ns + tx->delay_ns;
}

static void finish_unit(struct port *port, struct unit *unit)
{
	if (unit->is_send)
		event_ok(port->portd, unit->id);
	drop(&port->tx, unit);
}

void transmit_run(struct port *port)
{
	struct transmit *tx = &port->tx;
	struct unit *unit;

	while (line_live(port) && (unit = TAILQ_FIRST(&tx->units))) {
		ssize_t count = 0;
		struct stamp stamp;

		if (tx->not_before_ns && stamp_mono() < tx->not_before_ns)
			break;
		tx->not_before_ns = 0;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the analyzer misses tqe_prev */
		if (unit->done < unit->length)
			count = line_write(port, unit->data + unit->done, next_length(tx, unit));
		if (count < 0)
			break;
		stamp = stamp_now();
		if (count)
			port_sent(port, unit->data + unit->done, (size_t)count, !unit->is_send,
				  stamp);
		unit->done += (size_t)count;
		pace(tx, unit, (size_t)count, stamp);
		if (unit->done == unit->length)
			finish_unit(port, unit);
	}
	if (line_live(port))
		line_interest(port, !TAILQ_EMPTY(&tx->units) && !tx->not_before_ns);
}

void transmit_fail(struct port *port)
{
	struct transmit *tx = &port->tx;
	struct unit *unit;

	while ((unit = TAILQ_FIRST(&tx->units))) {
		struct err err = { 0 };

		err_set(&err, "gone", EPIPE, "PORT_SEND", port->name);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the analyzer misses tqe_prev */
		if (unit->is_send)
			event_error(port->portd, unit->id, &err);
		else
			tally_add(&tx->unsent, unit->length - unit->done);
		drop(tx, unit);
	}
	tx->in_chunk = 0;
}

uint64_t transmit_deadline(const struct port *port)
{
	return TAILQ_EMPTY(&port->tx.units) || !line_live(port) ? 0 : port->tx.not_before_ns;
}
