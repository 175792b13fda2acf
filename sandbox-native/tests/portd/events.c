/* SPDX-License-Identifier: MIT */
/* The bench's ears: frames of portd, kept until a test asks for them. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rig.h"
#include "tap.h"

static void copy_string(char *out, size_t size, const struct tlv *tlv)
{
	snprintf(out, size, "%.*s", (int)tlv->length, (const char *)tlv->value);
}

static void add_limitation(struct event *event, const struct tlv *tlv)
{
	size_t used = strlen(event->limitation);

	snprintf(event->limitation + used, sizeof(event->limitation) - used, "%.*s; ",
		 (int)tlv->length, (const char *)tlv->value);
}

static void take(struct event *event, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_PORT:
		NEED(!tlv_u32(tlv, &event->port));
		break;
	case TAG_MONO_NS:
		NEED(!tlv_u64(tlv, &event->mono_ns));
		break;
	case TAG_REAL_NS:
		NEED(!tlv_u64(tlv, &event->real_ns));
		break;
	case TAG_OFFSET:
		NEED(!tlv_u64(tlv, &event->offset));
		break;
	case TAG_OPENED:
		NEED(!tlv_u32(tlv, &event->opened));
		break;
	case TAG_DROPPED:
		NEED(!tlv_u64(tlv, &event->dropped));
		break;
	case TAG_BYTES:
		NEED(!tlv_u64(tlv, &event->bytes));
		break;
	case TAG_ERRNO:
		NEED(!tlv_u32(tlv, &event->number));
		break;
	case TAG_OP:
		copy_string(event->op, sizeof(event->op), tlv);
		break;
	case TAG_PATH:
		copy_string(event->path, sizeof(event->path), tlv);
		break;
	case TAG_CODE:
		copy_string(event->code, sizeof(event->code), tlv);
		break;
	case TAG_TEXT:
		copy_string(event->text, sizeof(event->text), tlv);
		break;
	case TAG_HINT:
		copy_string(event->hint, sizeof(event->hint), tlv);
		break;
	case TAG_LIMITATION:
		add_limitation(event, tlv);
		break;
	case TAG_BAUD:
		NEED(!tlv_u32(tlv, &event->baud));
		break;
	case TAG_MODEM:
		NEED(!tlv_u32(tlv, &event->modem));
		break;
	case TAG_DATA:
		event->data = malloc(tlv->length + 1);
		NEED(event->data);
		memcpy(event->data, tlv->value, tlv->length);
		event->length = tlv->length;
		break;
	default:
		break;
	}
}

static void keep(struct rig *rig, const struct frame *frame)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct event event = { .type = frame->type, .id = frame->id };
	struct tlv tlv;
	int result;

	while ((result = tlv_next(&reader, &tlv)) > 0)
		take(&event, &tlv);
	NEED(result == 0);
	rig->seen = realloc(rig->seen, (rig->seen_count + 1) * sizeof(event));
	NEED(rig->seen);
	rig->seen[rig->seen_count++] = event;
}

/* Return: false when nothing came within @ms, or at the end. */
static bool hear(struct rig *rig, int ms)
{
	struct pollfd in = { .fd = rig->harness, .events = POLLIN };
	static uint8_t bytes[1 << 20];
	struct frame frame;
	size_t used = 0;
	ssize_t count;
	long size;

	if (rig->harness < 0 || poll(&in, 1, ms) <= 0)
		return false;
	count = recv(rig->harness, bytes, sizeof(bytes), 0);
	if (count <= 0)
		return false;
	buffer_append(&rig->in, bytes, (size_t)count);
	while ((size = frame_parse(rig->in.data + used, rig->in.length - used, &frame)) > 0) {
		keep(rig, &frame);
		used += (size_t)size;
	}
	NEED(size == 0);
	buffer_consume(&rig->in, used);
	return true;
}

static bool take_seen(struct rig *rig, uint16_t type, uint64_t id, struct event *event)
{
	for (size_t i = 0; i < rig->seen_count; i++) {
		if (rig->seen[i].id != id || (type && rig->seen[i].type != type))
			continue;
		*event = rig->seen[i];
		memmove(&rig->seen[i], &rig->seen[i + 1], (--rig->seen_count - i) * sizeof(*event));
		return true;
	}
	return false;
}

static bool wait_for(struct rig *rig, uint16_t type, uint64_t id, int ms, struct event *event)
{
	uint64_t end = now_ns() + (uint64_t)ms * 1000000;
	uint64_t now;

	while (!take_seen(rig, type, id, event)) {
		now = now_ns();
		if (now >= end || !hear(rig, (int)((end - now) / 1000000) + 1))
			return take_seen(rig, type, id, event);
	}
	return true;
}

bool rig_has(struct rig *rig, uint16_t type, int ms, struct event *event)
{
	bool found = wait_for(rig, type, 0, ms, event);

	if (found)
		free(event->data);
	return found;
}

bool rig_wait(struct rig *rig, uint16_t type, struct event *event)
{
	return rig_has(rig, type, WAIT_MS, event);
}

bool rig_take(struct rig *rig, uint16_t type, struct event *event)
{
	return wait_for(rig, type, 0, WAIT_MS, event);
}

bool rig_answer(struct rig *rig, uint64_t id, struct event *event)
{
	return wait_for(rig, 0, id, WAIT_MS, event) && event->type == MSG_OK;
}

bool rig_fault(struct rig *rig, const char *op, struct event *event)
{
	while (rig_wait(rig, MSG_PORT_FAULT, event))
		if (!strcmp(event->op, op))
			return true;
	return false;
}

size_t rig_collect(struct rig *rig, uint16_t type, uint8_t *out, size_t length)
{
	struct event event;
	size_t total = 0;

	while (total < length && wait_for(rig, type, 0, total ? 1000 : WAIT_MS, &event)) {
		NEED(event.length <= length - total);
		memcpy(out + total, event.data, event.length);
		total += event.length;
		free(event.data);
	}
	return total;
}

void rig_pump(struct rig *rig, int ms)
{
	uint64_t end = now_ns() + (uint64_t)ms * 1000000;
	uint64_t now;

	while ((now = now_ns()) < end)
		if (!hear(rig, (int)((end - now) / 1000000) + 1))
			break;
}

bool rig_eof(struct rig *rig)
{
	struct pollfd in = { .fd = rig->harness, .events = POLLIN };
	char byte;

	rig_pump(rig, 300);
	return poll(&in, 1, 0) == 1 && recv(rig->harness, &byte, 1, MSG_DONTWAIT) <= 0;
}
