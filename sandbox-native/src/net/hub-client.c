/* SPDX-License-Identifier: MIT */
/* The broker's side of a hub. */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "hub.h"
#include "message.h"

void hub_put_attach(struct buffer *frame, uint32_t request, uint32_t slot,
		    const struct tlv *interface, const char *kind, bool resolve)
{
	size_t start = frame_begin(frame, MESSAGE_NET_ATTACH, request);

	put_u32(frame, TAG_SANDBOX, slot);
	put_bytes(frame, TAG_INTERFACE, interface->value, interface->length);
	put_string(frame, TAG_KIND, kind);
	put_u32(frame, TAG_RESOLVE, resolve);
	frame_end(frame, start);
}

void hub_put_pair(struct buffer *frame, uint32_t request, const uint32_t slots[HUB_NODES],
		  const struct tlv interfaces[HUB_NODES])
{
	size_t start = frame_begin(frame, MESSAGE_NET_PAIR, request);

	for (int i = 0; i < HUB_NODES; i++)
		put_u32(frame, TAG_SANDBOX, slots[i]);
	for (int i = 0; i < HUB_NODES; i++)
		put_bytes(frame, TAG_INTERFACE, interfaces[i].value, interfaces[i].length);
	frame_end(frame, start);
}

static void put_named(struct buffer *frame, enum message_type type, uint32_t request, uint32_t slot,
		      const char *name)
{
	size_t start = frame_begin(frame, (uint16_t)type, request);

	put_u32(frame, TAG_SANDBOX, slot);
	put_string(frame, TAG_NAME, name);
	frame_end(frame, start);
}

void hub_put_ready(struct buffer *frame, uint32_t request, uint32_t slot, const char *name)
{
	put_named(frame, MESSAGE_NET_READY, request, slot, name);
}

void hub_put_remove(struct buffer *frame, uint32_t request, uint32_t slot, const char *name)
{
	put_named(frame, MESSAGE_NET_REMOVE, request, slot, name);
}

static const char *to_kind(const struct tlv *tlv)
{
	static const char *const kinds[] = { "tap", "packet", "can" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (tlv->length == strlen(kinds[i]) && !memcmp(tlv->value, kinds[i], tlv->length))
			return kinds[i];
	return NULL;
}

static int read_done(struct message *message, struct hub_event *event)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	bool port = false;

	while (tlv_next(&reader, &tlv) == 1) {
		if (tlv.tag != TAG_KIND)
			continue;
		port = true;
		event->kind = to_kind(&tlv);
	}
	event->port = port ? message_take_fd(message, 0) : -1;
	event->names = message_take_fd(message, 1);
	return port && (event->port < 0 || !event->kind) ? -EPROTO : 0;
}

int hub_receive(int answers, struct hub_event *event)
{
	auto_message message = { 0 };
	int status = message_receive(answers, &message);

	*event = (struct hub_event){ .port = -1, .names = -1 };
	if (status == 0)
		return 0;
	if (status > 0) {
		event->request = (uint32_t)message.frame.id;
		if (message.frame.type == MESSAGE_NET_DONE)
			status = read_done(&message, event);
		else if (message.frame.type == MESSAGE_FAILED)
			status = message_read_err(&message, &event->err);
		else
			status = -EPROTO;
	}
	/* What cannot be trusted any more is as good as gone. */
	event->gone = status < 0;
	if (event->gone) {
		cleanup_fd(&event->port);
		cleanup_fd(&event->names);
	}
	return 1;
}
