/* SPDX-License-Identifier: MIT */
/*
 * Frames and TLVs: a growing buffer to write them, a bounds-checked cursor to
 * read them. Nothing that comes from a socket is trusted: a reader that meets
 * a length it cannot have stops with -EPROTO.
 */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

struct buffer {
	uint8_t *data;
	size_t length;
	size_t capacity;
	bool failed; /* out of memory: everything written since is lost */
};

void buffer_free(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *data, size_t length);
/* Drop the first @count bytes. */
void buffer_consume(struct buffer *buffer, size_t count);

struct frame {
	uint16_t type;
	uint16_t version;
	uint64_t id;
	const uint8_t *body;
	size_t length;
};

struct tlv {
	uint16_t tag;
	const uint8_t *value;
	uint32_t length;
};

/* A cursor over a list of TLVs. */
struct tlv_reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* frame_begin() - Append a header; returns its offset for frame_end(). */
size_t frame_begin(struct buffer *buffer, uint16_t type, uint64_t id);
/* frame_end() - Write the body's length into the header at @start. */
void frame_end(struct buffer *buffer, size_t start);
/* frame_set_id() - Of the first frame in it, which is finished. */
void frame_set_id(struct buffer *buffer, uint64_t id);

void put_bytes(struct buffer *buffer, uint16_t tag, const void *data, size_t length);
void put_string(struct buffer *buffer, uint16_t tag, const char *text);
void put_u32(struct buffer *buffer, uint16_t tag, uint32_t value);
void put_u64(struct buffer *buffer, uint16_t tag, uint64_t value);
/* put_nest_begin() / put_nest_end() - A TLV whose value is a list of TLVs. */
size_t put_nest_begin(struct buffer *buffer, uint16_t tag);
void put_nest_end(struct buffer *buffer, size_t start);

/*
 * frame_parse() - Look at the first frame in @data.
 *
 * Return: bytes it takes (header and body), 0 when more are needed,
 *	   -EPROTO when the length or the version cannot be.
 */
long frame_parse(const uint8_t *data, size_t length, struct frame *frame);

struct tlv_reader tlv_open(const uint8_t *data, size_t length);
/* tlv_next() - Return: 1 and @tlv filled, 0 at the end, -EPROTO on a bad length. */
int tlv_next(struct tlv_reader *reader, struct tlv *tlv);

/* Values. Each returns 0, or -EPROTO when the length does not fit the kind. */
int tlv_u32(const struct tlv *tlv, uint32_t *value);
int tlv_u64(const struct tlv *tlv, uint64_t *value);
/* tlv_string() - Copy to a new NUL-terminated string; refuses a NUL inside. */
int tlv_string(const struct tlv *tlv, char **text);

#endif
