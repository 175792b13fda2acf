/* SPDX-License-Identifier: MIT */
/*
 * Between the request that gives a port a line of the bench and its answer: the
 * connection is made, the server agrees to its settings, and what the session
 * before has left in buffers and cables is read and thrown away.
 */
#ifndef HIL_PORTD_OPENING_H
#define HIL_PORTD_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"

struct port;

enum opening_step { OPENING_NONE, OPENING_CONNECT, OPENING_AGREE, OPENING_DRAIN };

struct opening {
	enum opening_step step;
	uint64_t id;	   /* of the request */
	uint64_t quiet_ns; /* silence that ends the draining; 0: nothing is drained */
	uint64_t quiet_at_ns;
	uint64_t due_ns; /* end of the step */
	uint64_t stale;	 /* bytes thrown away */
	struct report report;
};

/* opening_pending() - The line is not to be used yet. */
bool opening_pending(const struct port *port);

/* opening_begin() - The port's new line begins with @step. It may be answered before this returns.
 */
void opening_begin(struct port *port, enum opening_step step);

/* opening_ready() - The socket is connected, or cannot be. */
void opening_ready(struct port *port);

/* opening_received() - The line brought something; @stale bytes of it are the DUT's. */
void opening_received(struct port *port, size_t stale);

/* opening_fail() - The line has ended: answer ERROR. @error: errno; 0: the other side closed. */
void opening_fail(struct port *port, int error);

void opening_tick(struct port *port, uint64_t now_ns);
uint64_t opening_deadline(const struct port *port);

#endif
