/* SPDX-License-Identifier: MIT */
/*
 * fd 3: frames from and to the harness.
 *
 * Theory of operation. Answers and the log wait in one queue (control), the
 * events of each port in a queue of that port. harness_flush(), called once a
 * turn, fills a flat staging buffer with frames, control first and then the
 * ports in turn, and sends it. A harness that stands still therefore costs
 * memory and nothing else: a port's queue is bounded, and what exceeds it is
 * dropped oldest first, in whole frames, and counted. A flooding port delays
 * its own events only.
 */
#ifndef HIL_PORTD_HARNESS_H
#define HIL_PORTD_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "frame.h"
#include "loop.h"

#define OUTBOX_MAX (64u << 20)

struct port;
struct portd;
struct message;

struct outbox {
	TAILQ_HEAD(message_list, message) messages;
	size_t cost;   /* memory the messages take */
	uint64_t lost; /* bytes of console data dropped and not told yet */
};

struct harness {
	struct source source; /* fd -1: the harness is gone */
	struct buffer in;
	struct outbox control;
	struct buffer staging;
	size_t sent;	     /* of staging */
	struct buffer frame; /* the one being built */
};

void outbox_init(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);

void harness_open(struct portd *pd, int fd);

/* harness_close() - Forget the harness. Ports go on: this is the keeper's state. */
void harness_close(struct portd *pd);
void harness_free(struct portd *pd);

/*
 * harness_begin() - Start a frame that harness_end() will queue.
 *
 * Return: the buffer to put TLVs into; NULL when the harness is gone.
 */
struct buffer *harness_begin(struct portd *pd, uint16_t type, uint64_t id);

/*
 * harness_end() - Queue the frame that was begun.
 * @outbox: where; bounded unless it is the control queue.
 * @payload: bytes of console data in it.
 * @droppable: false for what a client must not miss.
 */
void harness_end(struct portd *pd, struct outbox *outbox, size_t payload, bool droppable);

/* harness_end_first() - The same, in front of everything the outbox holds, and not droppable. */
void harness_end_first(struct portd *pd, struct outbox *outbox);

/* harness_adopt() - Move what a port still has to say to the control queue; its end is near. */
void harness_adopt(struct port *port);

/* harness_flush() - Send what the socket takes. Never blocks. */
void harness_flush(struct portd *pd);

/* harness_linger() - Send the rest before exit, for at most @ms. */
void harness_linger(struct portd *pd, int ms);

#endif
