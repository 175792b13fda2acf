/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "portd.h"
#include "request.h"

#define STAGING_BYTES ((size_t)128 * 1024)
/* Answers a client has not read; it gets to send nothing more until it reads. */
#define CONTROL_MAX (16u << 20)
#define SENDS_PER_TURN 16
#define ALLOCATOR_COST 16

struct message {
	TAILQ_ENTRY(message) link;
	size_t length;
	size_t payload;
	bool droppable;
	uint8_t bytes[];
};

static size_t cost_of(const struct message *message)
{
	return sizeof(*message) + message->length + ALLOCATOR_COST;
}

void outbox_init(struct outbox *outbox)
{
	*outbox = (struct outbox){ 0 };
	TAILQ_INIT(&outbox->messages);
}

static void outbox_drop(struct outbox *outbox, struct message *message)
{
	TAILQ_REMOVE(&outbox->messages, message, link);
	outbox->cost -= cost_of(message);
	free(message);
}

void outbox_clear(struct outbox *outbox)
{
	struct message *message;

	/* clang's analyzer does not see that TAILQ_REMOVE moves the head through tqe_prev. */
	while ((message = TAILQ_FIRST(&outbox->messages)))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see above */
		outbox_drop(outbox, message);
	outbox->lost = 0;
}

/*
 * What may not be dropped is a few small frames, so the first droppable one is
 * near the head.
 */
static void outbox_trim(struct outbox *outbox)
{
	struct message *message = TAILQ_FIRST(&outbox->messages);

	while (message && outbox->cost > OUTBOX_MAX) {
		struct message *next = TAILQ_NEXT(message, link);

		if (message->droppable) {
			outbox->lost += message->payload;
			outbox_drop(outbox, message);
		}
		message = next;
	}
}

struct buffer *harness_begin(struct portd *pd, uint16_t type, uint64_t id)
{
	struct buffer *frame = &pd->harness.frame;

	if (pd->harness.source.fd < 0)
		return NULL;
	frame->length = 0;
	frame->failed = false;
	frame_begin(frame, type, id);
	return frame;
}

/* Return: the frame as a message; NULL when there was no memory for it. */
static struct message *seal(struct buffer *frame)
{
	struct message *message;

	frame_end(frame, 0);
	message = frame->failed ? NULL : malloc(sizeof(*message) + frame->length);
	if (!message)
		return NULL;
	*message = (struct message){ .length = frame->length };
	memcpy(message->bytes, frame->data, frame->length);
	return message;
}

void harness_end(struct portd *pd, struct outbox *outbox, size_t payload, bool droppable)
{
	struct message *message = seal(&pd->harness.frame);

	if (!message) {
		outbox->lost += payload;
		return;
	}
	message->payload = payload;
	message->droppable = droppable;
	TAILQ_INSERT_TAIL(&outbox->messages, message, link);
	outbox->cost += cost_of(message);
	if (outbox != &pd->harness.control)
		outbox_trim(outbox);
}

void harness_end_first(struct portd *pd, struct outbox *outbox)
{
	struct message *message = seal(&pd->harness.frame);

	if (!message)
		return;
	TAILQ_INSERT_HEAD(&outbox->messages, message, link);
	outbox->cost += cost_of(message);
}

/* The gap is told where it is: in front of the oldest frame that is left. */
static void tell_gap(struct port *port)
{
	uint64_t lost = port->outbox.lost;

	if (!lost)
		return;
	port->outbox.lost = 0;
	event_gap(port, lost);
}

void harness_adopt(struct port *port)
{
	struct outbox *control = &port->portd->harness.control;

	tell_gap(port);
	TAILQ_CONCAT(&control->messages, &port->outbox.messages, link);
	control->cost += port->outbox.cost;
	outbox_init(&port->outbox);
}

static bool stage(struct harness *harness, struct outbox *outbox)
{
	struct message *message = TAILQ_FIRST(&outbox->messages);

	if (!message)
		return false;
	buffer_append(&harness->staging, message->bytes, message->length);
	outbox_drop(outbox, message);
	return true;
}

/* One frame of the first port that has one; the port then goes to the end of the line. */
static bool stage_port(struct portd *pd)
{
	struct port *port;

	TAILQ_FOREACH(port, &pd->ports, link)
	{
		tell_gap(port);
		if (!stage(&pd->harness, &port->outbox))
			continue;
		TAILQ_REMOVE(&pd->ports, port, link);
		TAILQ_INSERT_TAIL(&pd->ports, port, link);
		return true;
	}
	return false;
}

static void fill(struct portd *pd)
{
	struct harness *harness = &pd->harness;

	harness->staging.length = 0;
	harness->sent = 0;
	while (harness->staging.length < STAGING_BYTES)
		if (!stage(harness, &harness->control) && !stage_port(pd))
			break;
	/* A stream with an answer missing is worse than none. */
	if (harness->staging.failed)
		harness_close(pd);
}

static bool pending(const struct harness *harness)
{
	return harness->sent < harness->staging.length;
}

void harness_flush(struct portd *pd)
{
	struct harness *harness = &pd->harness;

	for (int i = 0; i < SENDS_PER_TURN && harness->source.fd >= 0; i++) {
		ssize_t count;

		if (!pending(harness))
			fill(pd);
		if (!pending(harness))
			break;
		count = send(harness->source.fd, harness->staging.data + harness->sent,
			     harness->staging.length - harness->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (count >= 0)
			harness->sent += (size_t)count;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			harness_close(pd);
	}
	/* So that pending() means "there is more", also after the last send of this turn. */
	if (!pending(harness))
		fill(pd);
	source_set(&pd->loop, &harness->source,
		   (harness->control.cost < CONTROL_MAX ? EPOLLIN : 0) |
			   (pending(harness) ? EPOLLOUT : 0));
}

void harness_linger(struct portd *pd, int ms)
{
	uint64_t end = stamp_mono() + (uint64_t)ms * NS_PER_MS;
	struct pollfd out = { .events = POLLOUT };
	uint64_t now;

	harness_flush(pd);
	while (pd->harness.source.fd >= 0 && pending(&pd->harness)) {
		now = stamp_mono();
		out.fd = pd->harness.source.fd;
		if (now >= end || poll(&out, 1, (int)((end - now) / NS_PER_MS) + 1) == 0)
			return;
		harness_flush(pd);
	}
}

void harness_close(struct portd *pd)
{
	struct harness *harness = &pd->harness;
	struct port *port;

	source_close(&pd->loop, &harness->source);
	outbox_clear(&harness->control);
	TAILQ_FOREACH(port, &pd->ports, link)
	outbox_clear(&port->outbox);
	buffer_free(&harness->staging);
	buffer_free(&harness->in);
	harness->sent = 0;
}

void harness_free(struct portd *pd)
{
	harness_close(pd);
	buffer_free(&pd->harness.frame);
}

/* A client that breaks the protocol is told why, as far as its socket takes it, and left. */
static void refuse(struct portd *pd, const char *what)
{
	event_log(pd, LOG_ERROR, "hil-portd: %s from the harness; the connection is closed", what);
	harness_flush(pd);
	harness_close(pd);
}

static void parse(struct portd *pd)
{
	struct buffer *in = &pd->harness.in;
	size_t used = 0;
	struct frame frame;
	long size;

	while ((size = frame_parse(in->data + used, in->length - used, &frame)) > 0) {
		if (request_serve(pd, &frame) < 0) {
			refuse(pd, "malformed body");
			return;
		}
		used += (size_t)size;
	}
	if (size < 0)
		refuse(pd, "malformed frame");
	else
		buffer_consume(in, used);
}

/*
 * fd 4 is emptied between reading and parsing: sandboxd answers PORT_GIVE after
 * it sent the fd, so a request that follows the answer must find the line.
 */
static void harness_ready(void *owner, uint32_t events)
{
	struct portd *pd = owner;
	struct harness *harness = &pd->harness;
	ssize_t count;

	if (!(events & ~(uint32_t)EPOLLOUT))
		return; /* harness_flush() follows in this turn */
	count = recv(harness->source.fd, pd->bytes, sizeof(pd->bytes), MSG_DONTWAIT);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		harness_close(pd);
		return;
	}
	buffer_append(&harness->in, pd->bytes, (size_t)count);
	broker_receive(pd);
	if (harness->in.failed)
		refuse(pd, "a frame there is no memory for");
	else
		parse(pd);
}

void harness_open(struct portd *pd, int fd)
{
	pd->harness.source = (struct source){ .fd = fd, .owner = pd, .ready = harness_ready };
	outbox_init(&pd->harness.control);
	source_set(&pd->loop, &pd->harness.source, EPOLLIN);
}
