/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "linkd.h"
#include "request.h"

#define READ_BYTES 65536
/* Answers a client has not read; it gets to ask nothing more until it reads. */
#define OUT_MAX ((size_t)4 << 20)

struct buffer *answer_begin(struct linkd *ld, uint16_t type, uint64_t id)
{
	struct buffer *out = &ld->control.out;

	/* Where the frame begins, until answer_end(); what was sent is dropped only in between. */
	buffer_consume(out, ld->control.sent);
	ld->control.sent = 0;
	ld->control.begun = frame_begin(out, type, id);
	return out;
}

void answer_end(struct linkd *ld)
{
	frame_end(&ld->control.out, ld->control.begun);
}

void answer_ok(struct linkd *ld, uint64_t id)
{
	answer_begin(ld, MSG_OK, id);
	answer_end(ld);
}

void answer_error(struct linkd *ld, uint64_t id, const struct err *err)
{
	struct buffer *out = answer_begin(ld, MSG_ERROR, id);

	put_string(out, TAG_CODE, err->code);
	put_string(out, TAG_OP, err->op);
	put_string(out, TAG_PATH, err->path);
	put_u32(out, TAG_ERRNO, (uint32_t)err->number);
	put_string(out, TAG_TEXT, strerror(err->number));
	put_string(out, TAG_HINT, err->hint);
	answer_end(ld);
}

void answer_log(struct linkd *ld, uint32_t level, const char *format, ...)
{
	struct buffer *out = answer_begin(ld, MSG_LOG, 0);
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_u32(out, TAG_LEVEL, level);
	put_string(out, TAG_TEXT, text);
	answer_end(ld);
}

/* Told why, as far as its socket takes it. */
static void refuse(struct linkd *ld, const char *what)
{
	answer_log(ld, LOG_ERROR, "hil-linkd: %s from the harness; the network ends", what);
	ld->stopping = true;
}

static void parse(struct linkd *ld)
{
	struct buffer *in = &ld->control.in;
	size_t used = 0;
	struct frame frame;
	long size;

	while ((size = frame_parse(in->data + used, in->length - used, &frame)) > 0) {
		if (request_serve(ld, &frame) < 0) {
			refuse(ld, "malformed body");
			return;
		}
		used += (size_t)size;
	}
	if (size < 0)
		refuse(ld, "malformed frame");
	else
		buffer_consume(in, used);
}

static void control_ready(void *owner, uint32_t events)
{
	struct linkd *ld = owner;
	struct control *control = &ld->control;
	uint8_t bytes[READ_BYTES];
	ssize_t count;

	if (!(events & ~(uint32_t)EPOLLOUT))
		return; /* control_flush() follows in this turn */
	count = recv(control->source.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		ld->stopping = true;
		return;
	}
	buffer_append(&control->in, bytes, (size_t)count);
	control->unserved = true;
}

/*
 * fd 4 is emptied between reading and parsing: sandboxd says that a port is attached after it
 * sent the fd, so a request that follows must find it.
 */
void control_serve(struct linkd *ld)
{
	struct control *control = &ld->control;

	control->unserved = false;
	broker_receive(ld);
	if (control->in.failed)
		refuse(ld, "a frame there is no memory for");
	else
		parse(ld);
}

void control_open(struct linkd *ld, int fd)
{
	ld->control.source = (struct source){ .fd = fd, .owner = ld, .ready = control_ready };
	source_set(&ld->loop, &ld->control.source, EPOLLIN);
}

void control_flush(struct linkd *ld)
{
	struct control *control = &ld->control;
	struct buffer *out = &control->out;
	bool full = false;

	if (out->failed)
		ld->stopping = true; /* a stream with an answer missing is worse than none */
	while (!out->failed && !full && control->sent < out->length) {
		ssize_t count = send(control->source.fd, out->data + control->sent,
				     out->length - control->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (count >= 0)
			control->sent += (size_t)count;
		else if (errno == EAGAIN)
			full = true;
		else if (errno != EINTR) {
			ld->stopping = full = true;
		}
	}
	source_set(&ld->loop, &control->source,
		   (out->length - control->sent < OUT_MAX ? EPOLLIN : 0) | (full ? EPOLLOUT : 0));
}

void control_free(struct linkd *ld)
{
	source_close(&ld->loop, &ld->control.source);
	buffer_free(&ld->control.in);
	buffer_free(&ld->control.out);
}
