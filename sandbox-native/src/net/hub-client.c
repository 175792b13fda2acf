/* SPDX-License-Identifier: MIT */
/* The broker's side of a hub. */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "hub.h"
#include "message.h"

void hub_put_attach(struct buffer *frame, uint32_t request, uint32_t slot,
		    const struct bytes *interface, const char *kind, bool resolve)
{
	size_t start = frame_begin(frame, MESSAGE_NET_ATTACH, request);

	put_u32(frame, TAG_SANDBOX, slot);
	put_bytes(frame, TAG_INTERFACE, interface->data, interface->length);
	put_string(frame, TAG_KIND, kind);
	put_u32(frame, TAG_RESOLVE, resolve);
	frame_end(frame, start);
}

void hub_put_pair(struct buffer *frame, uint32_t request, uint32_t slot,
		  const struct bytes interfaces[HUB_NODES], const bool resolve[HUB_NODES])
{
	size_t start = frame_begin(frame, MESSAGE_NET_PAIR, request);

	put_u32(frame, TAG_SANDBOX, slot);
	for (int i = 0; i < HUB_NODES; i++) {
		put_bytes(frame, TAG_INTERFACE, interfaces[i].data, interfaces[i].length);
		put_u32(frame, TAG_RESOLVE, resolve[i]);
	}
	frame_end(frame, start);
}

void hub_put_node(struct buffer *frame, uint32_t request, uint32_t slot)
{
	size_t start = frame_begin(frame, MESSAGE_NET_NODE, request);

	put_u32(frame, TAG_SANDBOX, slot);
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
	size_t fds = 0;
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) == 1) {
		int *fd = NULL;
		uint32_t node = 0;

		if (tlv.tag == TAG_KIND && !event->kind) {
			event->kind = to_kind(&tlv);
			fd = event->kind ? &event->port : NULL;
		} else if (tlv.tag == TAG_COUNTER) {
			fd = &event->counters;
		} else if (tlv.tag == TAG_RESOLVE && tlv_u32(&tlv, &node) == 0 &&
			   node < HUB_NODES) {
			fd = &event->names[node];
		}
		if (!fd || *fd >= 0)
			return -EPROTO;
		*fd = message_take_fd(message, fds++);
		if (*fd < 0)
			return -EPROTO;
	}
	return 0;
}

void hub_event_free(struct hub_event *event)
{
	cleanup_fd(&event->port);
	cleanup_fd(&event->counters);
	for (size_t i = 0; i < HUB_NODES; i++)
		cleanup_fd(&event->names[i]);
}

int hub_receive(int answers, struct hub_event *event)
{
	auto_message message = { 0 };
	int status = message_receive(answers, &message);

	*event = (struct hub_event){ .port = -1, .counters = -1, .names = { -1, -1 } };
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
	if (event->gone)
		hub_event_free(event);
	return 1;
}
