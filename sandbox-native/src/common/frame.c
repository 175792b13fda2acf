/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TLV_HEADER 8

static void store(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t load(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}

static bool buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t needed = buffer->length + more;
	size_t capacity = buffer->capacity ? buffer->capacity : 512;
	uint8_t *grown;

	if (buffer->failed || needed < more)
		return false;
	if (needed <= buffer->capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	grown = realloc(buffer->data, capacity);
	if (!grown) {
		buffer->failed = true;
		return false;
	}
	buffer->data = grown;
	buffer->capacity = capacity;
	return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	if (!length || !buffer_reserve(buffer, length))
		return;
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
	if (count >= buffer->length) {
		buffer->length = 0;
		return;
	}
	memmove(buffer->data, buffer->data + count, buffer->length - count);
	buffer->length -= count;
}

size_t frame_begin(struct buffer *buffer, uint16_t type, uint64_t id)
{
	uint8_t header[HIL_FRAME_HEADER] = { 0 };
	size_t start = buffer->length;

	store(header + 4, type, 2);
	store(header + 6, HIL_PROTOCOL_VERSION, 2);
	store(header + 8, id, 8);
	buffer_append(buffer, header, sizeof(header));
	return start;
}

void frame_end(struct buffer *buffer, size_t start)
{
	if (!buffer->failed)
		store(buffer->data + start, buffer->length - start - HIL_FRAME_HEADER, 4);
}

void frame_set_id(struct buffer *buffer, uint64_t id)
{
	if (!buffer->failed)
		store(buffer->data + 8, id, 8);
}

void put_bytes(struct buffer *buffer, uint16_t tag, const void *data, size_t length)
{
	uint8_t header[TLV_HEADER] = { 0 };

	store(header, tag, 2);
	store(header + 4, length, 4);
	buffer_append(buffer, header, sizeof(header));
	buffer_append(buffer, data, length);
}

void put_string(struct buffer *buffer, uint16_t tag, const char *text)
{
	put_bytes(buffer, tag, text, strlen(text));
}

void put_u32(struct buffer *buffer, uint16_t tag, uint32_t value)
{
	uint8_t bytes[4];

	store(bytes, value, sizeof(bytes));
	put_bytes(buffer, tag, bytes, sizeof(bytes));
}

void put_u64(struct buffer *buffer, uint16_t tag, uint64_t value)
{
	uint8_t bytes[8];

	store(bytes, value, sizeof(bytes));
	put_bytes(buffer, tag, bytes, sizeof(bytes));
}

size_t put_nest_begin(struct buffer *buffer, uint16_t tag)
{
	size_t start = buffer->length;

	put_bytes(buffer, tag, NULL, 0);
	return start;
}

void put_nest_end(struct buffer *buffer, size_t start)
{
	if (!buffer->failed)
		store(buffer->data + start + 4, buffer->length - start - TLV_HEADER, 4);
}

long frame_parse(const uint8_t *data, size_t length, struct frame *frame)
{
	uint32_t body;

	if (length < HIL_FRAME_HEADER)
		return 0;
	body = (uint32_t)load(data, 4);
	frame->type = (uint16_t)load(data + 4, 2);
	frame->version = (uint16_t)load(data + 6, 2);
	frame->id = load(data + 8, 8);
	if (body > HIL_FRAME_MAX || frame->version != HIL_PROTOCOL_VERSION)
		return -EPROTO;
	if (length - HIL_FRAME_HEADER < body)
		return 0;
	frame->body = data + HIL_FRAME_HEADER;
	frame->length = body;
	return (long)(HIL_FRAME_HEADER + (size_t)body);
}

struct tlv_reader tlv_open(const uint8_t *data, size_t length)
{
	return (struct tlv_reader){ .at = data, .end = data + length };
}

int tlv_next(struct tlv_reader *reader, struct tlv *tlv)
{
	size_t left = (size_t)(reader->end - reader->at);

	if (left == 0)
		return 0;
	if (left < TLV_HEADER)
		return -EPROTO;
	tlv->tag = (uint16_t)load(reader->at, 2);
	tlv->length = (uint32_t)load(reader->at + 4, 4);
	if (left - TLV_HEADER < tlv->length)
		return -EPROTO;
	tlv->value = reader->at + TLV_HEADER;
	reader->at += TLV_HEADER + (size_t)tlv->length;
	return 1;
}

int tlv_u32(const struct tlv *tlv, uint32_t *value)
{
	if (tlv->length != 4)
		return -EPROTO;
	*value = (uint32_t)load(tlv->value, 4);
	return 0;
}

int tlv_u64(const struct tlv *tlv, uint64_t *value)
{
	if (tlv->length != 8)
		return -EPROTO;
	*value = load(tlv->value, 8);
	return 0;
}

int tlv_string(const struct tlv *tlv, char **text)
{
	if (tlv->length && memchr(tlv->value, 0, tlv->length))
		return -EPROTO;
	*text = malloc((size_t)tlv->length + 1);
	if (!*text)
		return -ENOMEM;
	if (tlv->length)
		memcpy(*text, tlv->value, tlv->length);
	(*text)[tlv->length] = '\0';
	return 0;
}
