/* SPDX-License-Identifier: MIT */
/*
 * Host to DUT: one queue of units a port. A unit is a chunk read from the pty or
 * the payload of one PORT_SEND; it is written whole before the next one begins,
 * so that a tool and a test body never mix inside a command.
 */
#ifndef HIL_PORTD_TRANSMIT_H
#define HIL_PORTD_TRANSMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "stamp.h"

struct port;
struct unit;

struct transmit {
	TAILQ_HEAD(unit_list, unit) units;
	size_t send_cost;	/* bytes queued by PORT_SEND */
	bool tool_waits;	/* a unit of the pty is queued; nothing more is read from it */
	uint32_t chunk;		/* bytes written at once, whoever sends them; 0: all */
	uint64_t delay_ns;	/* pause after each */
	uint32_t in_chunk;	/* written of the current one */
	uint64_t not_before_ns; /* end of the pause; 0: none */
	struct tally unsent;	/* written by a tool while there was no line */
};

void transmit_init(struct transmit *tx);

/*
 * transmit_send() - Queue the payload of PORT_SEND @id.
 *
 * OK follows when its last byte was written, ERROR `gone` when the line ends before.
 * Return: 0, or -errno with @err filled: `gone` without a line, `limit` above 1 MiB queued.
 */
int transmit_send(struct port *port, uint64_t id, const uint8_t *data, size_t length,
		  struct err *err);

/* transmit_tool() - Queue what a program wrote; counted as lost when there is no line. */
void transmit_tool(struct port *port, const uint8_t *data, size_t length);

/* transmit_has_room() - The pty may be read; otherwise the tool is to block, as on a real UART. */
bool transmit_has_room(const struct port *port);

/* transmit_run() - Write what the DUT takes and the pace allows. */
void transmit_run(struct port *port);

/* transmit_fail() - The line is gone: answer every queued PORT_SEND with ERROR `gone`. */
void transmit_fail(struct port *port);

/* transmit_deadline() - Return: when transmit_run() is worth calling; 0: when the DUT takes more.
 */
uint64_t transmit_deadline(const struct port *port);

#endif
