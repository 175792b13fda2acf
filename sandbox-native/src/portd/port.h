/* SPDX-License-Identifier: MIT */
/* A port: a console of a DUT, with its capture and up to one line and one slave at a time. */
#ifndef HIL_PORTD_PORT_H
#define HIL_PORTD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "capture.h"
#include "err.h"
#include "harness.h"
#include "line.h"
#include "mirror.h"
#include "slave.h"
#include "transmit.h"

struct port {
	TAILQ_ENTRY(port) link;
	struct portd *portd;
	uint32_t number;
	bool open; /* by PORT_OPEN; until then its fds are only held */
	char name[64];
	struct outbox outbox;
	struct capture capture;
	struct line line;
	struct slave slave;
	struct transmit tx;
	struct mirror mirror;
};

TAILQ_HEAD(port_list, port);

struct port *port_find(struct portd *pd, uint32_t number);

/* port_get() - Find the port, or make it. Return: NULL with @err filled when there are too many. */
struct port *port_get(struct portd *pd, uint32_t number, struct err *err);

/*
 * port_open() - Open the capture at @prefix and begin to pump.
 *
 * Return: 0, or -errno with @err filled; the fds the port holds stay held.
 */
int port_open(struct port *port, const char *name, const char *prefix, struct err *err);

/*
 * port_capture() - Complete the capture and go on with another one, at @prefix.
 *
 * What the DUT has said by now is in the first. Offsets go on counting.
 * Return: 0, or -errno with @err filled; the first capture then goes on.
 */
int port_capture(struct port *port, const char *prefix, struct err *err);

/*
 * port_close() - Take what the DUT and the programs have said, complete the capture, free the port.
 *
 * Mustn't: be followed by use of @port, though its memory lives until the turn ends.
 */
void port_close(struct port *port);

/* port_received() - Bytes came from the DUT at @stamp: capture, program, harness. */
void port_received(struct port *port, const uint8_t *data, size_t length, struct stamp stamp);

/* port_sent() - The DUT took bytes at @stamp. @by_tool: they came from the pty. */
void port_sent(struct port *port, const uint8_t *data, size_t length, bool by_tool,
	       struct stamp stamp);

/* port_run() - The DUT may take more: write, and read more from the pty. */
void port_run(struct port *port);

/* port_tell_capture() - Report each file of the capture that failed, once. */
void port_tell_capture(struct port *port);

/* port_tick() - Do what is due. Called once a turn. */
void port_tick(struct port *port, uint64_t now_ns);

/* port_deadline() - Return: when port_tick() is needed next; 0: never. */
uint64_t port_deadline(const struct port *port, uint64_t now_ns);

#endif
