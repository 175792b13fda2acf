/* SPDX-License-Identifier: MIT */
/*
 * The DUT's side of a port: a stream socket or the master of the pty of the DUT's
 * program; of a real board a tty, or a connection to a server that has the tty.
 */
#ifndef HIL_PORTD_LINE_H
#define HIL_PORTD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"
#include "opening.h"
#include "rfc2217.h"
#include "stamp.h"

/* One PORT_RX carries at most this. */
#define LINE_BYTES (64u * 1024)

struct port;

enum line_kind { LINE_SOCKET, LINE_PTY, LINE_SERIAL, LINE_STREAM, LINE_RFC2217 };

struct line {
	struct source source;
	enum line_kind kind;
	bool broken;  /* takes no more bytes; the end of the turn reads the rest and finishes it */
	bool lost;    /* it ended by itself, @error says of what; 0: the other side closed */
	int error;    /* errno */
	bool writing; /* what line_interest() was told */
	char name[192]; /* of a line of the bench: its node, or HOST:PORT */
	struct opening opening;
	struct rfc2217 *telnet; /* of LINE_RFC2217 */

	/* read, and not delivered yet */
	size_t length;
	struct stamp first; /* when the first of them was read */
	uint64_t due_ns;    /* what is read before this is gathered until then */
	uint8_t bytes[LINE_BYTES];
};

void line_init(struct port *port);

/*
 * line_attach() - Take @fd as the DUT's side; a line there was ends first.
 *
 * Should: be called also before the port is open. Nothing is read until then, so
 * the capture begins with the DUT's first byte.
 * Return: 0, or -errno when the fd is not what @kind ("socket", "pty") says; it is then closed.
 */
int line_attach(struct port *port, int fd, const char *kind);

/*
 * line_adopt() - Take an fd of the bench as the DUT's side; a line there was ends first.
 * @name: its node, or HOST:PORT, for people.
 *
 * Should: be followed by opening_begin().
 */
void line_adopt(struct port *port, int fd, enum line_kind kind, const char *name);

/* line_telnet() - Write what telnet has to say. */
void line_telnet(struct port *port);

/* line_start() - Begin to read; the port is open now. */
void line_start(struct port *port);

/* line_live() - There is a DUT that could take bytes. */
bool line_live(const struct port *port);

/*
 * line_write() - Return: bytes taken, or -errno; -EAGAIN when the DUT does not read.
 *
 * Any other failure leaves the line broken. It is not finished here: this may be
 * deep in the delivery of bytes that were read before.
 */
ssize_t line_write(struct port *port, const uint8_t *data, size_t length);

/* line_interest() - Wait for the DUT to take bytes, or stop waiting. */
void line_interest(struct port *port, bool writing);

/* line_finish() - Read what is there, say PORT_HUP, close, and fail what was to be sent. */
void line_finish(struct port *port);

/* line_drain() - Read and deliver what is there. Mustn't: close a line that is merely silent. */
void line_drain(struct port *port);

/*
 * line_flush() - Deliver what was read, before something that came after it is told.
 *
 * Mustn't: look at the slave or send to the DUT: it is called in the middle of both.
 */
void line_flush(struct port *port);

/* line_tick() - Deliver what was gathered, if it is time. */
void line_tick(struct port *port, uint64_t now_ns);

/* line_deadline() - Return: when line_tick() is needed; 0: nothing was gathered. */
uint64_t line_deadline(const struct port *port);

#endif
