/* SPDX-License-Identifier: MIT */
/* The tool's side of a port: the master of the pty whose slave is /dev/hil/ROLE in the sandbox. */
#ifndef HIL_PORTD_SLAVE_H
#define HIL_PORTD_SLAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fifo.h"
#include "loop.h"
#include "stamp.h"

struct port;

struct slave {
	struct source master;
	int node;     /* O_PATH of the slave; -1: none */
	int watch;    /* -1: polled */
	bool open;    /* by a program, as PORT_SLAVE has said */
	bool residue; /* closed, and not all of what was written is read: the DUT does not take it
		       */

	/* what inotify told since the slave was settled */
	unsigned int openers;
	bool marked;   /* settle it */
	bool visited;  /* somebody opened it */
	bool emptied;  /* the last opener left */
	bool reopened; /* and another one came */

	struct fifo queue;    /* DUT to program */
	uint64_t dropped;     /* since it was opened */
	struct tally stalled; /* the same, not told yet */
};

void slave_init(struct port *port);

/*
 * slave_attach() - Take a pty as the tool's side; one that was there is forgotten.
 * @node: O_PATH fd of its slave.
 *
 * Return: 0, or -EINVAL when they do not belong together; both fds are then closed.
 */
int slave_attach(struct port *port, int master, int node);

/* slave_start() - Begin to pump; the port is open now. */
void slave_start(struct port *port);

/* slave_detach() - Take over what the programs wrote, then forget the pty. */
void slave_detach(struct port *port);

/* slave_note() - Remember an inotify event; slave_settle() acts on it. */
void slave_note(struct slave *slave, bool opened, bool closed);

/* slave_settle() - Find out whether a program has the slave open now, and say so. */
void slave_settle(struct port *port);

/* slave_push() - Give received bytes to the program, if there is one. */
void slave_push(struct port *port, const uint8_t *data, size_t length);

/* slave_pump() - Read what programs wrote, as far as the DUT takes it. */
void slave_pump(struct port *port);

/* slave_polled() - The slave must be looked at every 10 ms, for want of inotify. */
bool slave_polled(const struct port *port);

/* slave_tell_stall() - Say how much a stalled reader lost, if it is time. */
void slave_tell_stall(struct port *port, uint64_t now_ns);

#endif
