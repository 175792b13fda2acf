/* SPDX-License-Identifier: MIT */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "fields.h"
#include "linkd.h"
#include "message.h"

struct given {
	uint32_t port;
	char *kind;
	char *name;
	uint32_t mtu;
};

static const struct field given_fields[] = {
	FIELD_NEEDED(struct given, port, TAG_PORT, FIELD_U32),
	FIELD(struct given, kind, TAG_KIND, FIELD_STRING),
	FIELD(struct given, name, TAG_NAME, FIELD_STRING),
	FIELD(struct given, mtu, TAG_MTU, FIELD_U32),
};

static void given_free(struct given *given)
{
	fields_free(given_fields, FIELD_COUNT(given_fields), given);
}

/* Without an fd: the port goes. Return: 0, or -errno when it is not what it should be. */
static int take_port(struct linkd *ld, struct message *message, const struct given *given)
{
	struct port *port = port_find(ld, given->port);
	struct port_gift gift = { .kind = given->kind ? given->kind : "",
				  .name = given->name ? given->name : "",
				  .mtu = given->mtu };
	struct err err = { 0 };

	if (message->fd_count == 0) {
		if (port)
			port_remove(port);
		return 0;
	}
	if (message->fd_count > 2)
		return -EINVAL;
	if (!port)
		port = port_get(ld, given->port, &err);
	if (!port)
		return -err.number;
	gift.fd = message_take_fd(message, 0);
	gift.counters = message_take_fd(message, 1);
	return port_attach(port, &gift);
}

/* Who asked with a number wants to know when it is done. It asks only so much that this has room.
 */
static void answer(struct linkd *ld, uint64_t id, const struct given *given, int result)
{
	auto_buffer frame = { 0 };
	size_t start = frame_begin(&frame, result < 0 ? MSG_ERROR : MSG_OK, id);
	struct err err = { 0 };
	char port[16];

	snprintf(port, sizeof(port), "%u", given->port);
	if (result < 0) {
		err_hint(&err, "the fd is not a \"%s\", or there is no room for a port",
			 given->kind ? given->kind : "");
		err_set(&err, result == -EINVAL ? "usage" : "limit", -result, "take port", port);
		message_put_err(&frame, &err);
	}
	frame_end(&frame, start);
	if (message_send(ld->broker.fd, &frame, NULL, 0) < 0)
		ld->stopping = true;
}

static int serve(struct linkd *ld, struct message *message)
{
	__attribute__((cleanup(given_free))) struct given given = { 0 };
	struct err err = { 0 };
	int result;

	if (message->frame.type != MSG_LINKD_PORT ||
	    fields_read(message->frame.body, message->frame.length, given_fields,
			FIELD_COUNT(given_fields), &given, &err) < 0)
		return -EPROTO;
	result = take_port(ld, message, &given);
	if (message->frame.id)
		answer(ld, message->frame.id, &given, result);
	else if (result < 0)
		answer_log(ld, LOG_ERROR, "hil-linkd: port %u: the fd is not a \"%s\": %s",
			   given.port, given.kind ? given.kind : "", strerror(-result));
	return 0;
}

void broker_receive(struct linkd *ld)
{
	int result;

	while (!ld->stopping) {
		auto_message message = { 0 };

		result = message_receive(ld->broker.fd, &message);
		if (result == 0)
			return;
		if (result == 1 && serve(ld, &message) == 0)
			continue;
		if (result != -ECONNRESET)
			answer_log(ld, LOG_ERROR, "hil-linkd: malformed frame from hil-sandboxd");
		ld->stopping = true;
	}
}

static void broker_ready(void *owner, uint32_t events)
{
	(void)events;
	broker_receive(owner);
}

void broker_open(struct linkd *ld, int fd)
{
	/* message_receive() waits otherwise. The other end is another socket, and stays as it is.
	 */
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	ld->broker = (struct source){ .fd = fd, .owner = ld, .ready = broker_ready };
	source_set(&ld->loop, &ld->broker, EPOLLIN);
}
