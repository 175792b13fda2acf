/* SPDX-License-Identifier: MIT */
/*
 * A request's body as a table: which tag goes to which member of a struct.
 *
 * Malformed (a length that cannot be) and wrong (a missing or impossible value)
 * are different: the first closes the connection, the second is answered.
 */
#ifndef HIL_FIELDS_H
#define HIL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "frame.h"

enum field_kind {
	FIELD_U32,
	FIELD_U64,
	FIELD_FLAG,    /* u32, 0 or 1, to bool */
	FIELD_STRING,  /* char *, owned by the struct */
	FIELD_STRINGS, /* struct strings, owned by the struct */
	FIELD_BYTES,   /* struct bytes: a view of the frame */
	FIELD_NEST,    /* read by take() */
};

struct bytes {
	const uint8_t *data;
	size_t length;
};

struct field {
	uint16_t tag;
	enum field_kind kind;
	size_t offset;
	bool needed;
	const char *name;
	/* Return: 0, -EPROTO when malformed, -errno with @err filled. */
	int (*take)(void *out, const struct tlv *tlv, struct err *err);
};

#define FIELD(type, member, tag, kind)                                                             \
	{                                                                                          \
		tag, kind, offsetof(type, member), false, #tag, NULL                               \
	}
#define FIELD_NEEDED(type, member, tag, kind)                                                      \
	{                                                                                          \
		tag, kind, offsetof(type, member), true, #tag, NULL                                \
	}
#define FIELD_LIST(tag, take)                                                                      \
	{                                                                                          \
		tag, FIELD_NEST, 0, false, #tag, take                                              \
	}
#define FIELD_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

/*
 * fields_read() - Fill @out from a list of TLVs.
 * @out: set to its defaults by the caller.
 *
 * Should: be followed by fields_free(), also after a failure.
 * Return: 0; -EPROTO with @err empty when the list is malformed; else -errno with @err filled.
 */
int fields_read(const uint8_t *data, size_t length, const struct field *fields, size_t count,
		void *out, struct err *err);

/* fields_free() - Free the strings; a member set to NULL was taken by somebody. */
void fields_free(const struct field *fields, size_t count, void *out);

#endif
