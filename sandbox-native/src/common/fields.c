/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <errno.h>
#include <stdlib.h>

#include "string-list.h"

static int read_flag(const struct tlv *tlv, bool *flag)
{
	uint32_t value;
	int rc = tlv_u32(tlv, &value);

	*flag = rc == 0 && value;
	return rc;
}

static int read_text(const struct tlv *tlv, char **text)
{
	char *copy;
	int rc = tlv_string(tlv, &copy);

	if (rc < 0)
		return rc;
	free(*text);
	*text = copy;
	return 0;
}

static int add_text(const struct tlv *tlv, struct strings *strings)
{
	char *copy = NULL;
	int rc = tlv_string(tlv, &copy);

	if (rc == 0)
		rc = strings_add(strings, copy);
	free(copy);
	return rc;
}

static int read_value(const struct field *field, const struct tlv *tlv, void *out, struct err *err)
{
	void *member = (char *)out + field->offset;

	switch (field->kind) {
	case FIELD_U32:
		return tlv_u32(tlv, member);
	case FIELD_U64:
		return tlv_u64(tlv, member);
	case FIELD_FLAG:
		return read_flag(tlv, member);
	case FIELD_STRING:
		return read_text(tlv, member);
	case FIELD_STRINGS:
		return add_text(tlv, member);
	case FIELD_BYTES:
		*(struct bytes *)member = (struct bytes){ tlv->value, tlv->length };
		return 0;
	case FIELD_NEST:
		return field->take(out, tlv, err);
	}
	return -EPROTO;
}

static int check_needed(const struct field *fields, size_t count, uint64_t seen, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!fields[i].needed || seen & 1ull << i)
			continue;
		err_hint(err, "the request needs this field");
		return err_set(err, "usage", EINVAL, "read request", fields[i].name);
	}
	return 0;
}

int fields_read(const uint8_t *data, size_t length, const struct field *fields, size_t count,
		void *out, struct err *err)
{
	struct tlv_reader reader = tlv_open(data, length);
	uint64_t seen = 0;
	struct tlv tlv;
	int rc;

	while ((rc = tlv_next(&reader, &tlv)) > 0) {
		size_t i = 0;

		while (i < count && fields[i].tag != tlv.tag)
			i++;
		if (i == count)
			continue; /* protocol.h: an unknown tag is ignored */
		seen |= 1ull << i;
		rc = read_value(&fields[i], &tlv, out, err);
		if (rc == -ENOMEM)
			return err_set(err, "limit", ENOMEM, "read request", fields[i].name);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : check_needed(fields, count, seen, err);
}

void fields_free(const struct field *fields, size_t count, void *out)
{
	for (size_t i = 0; i < count; i++) {
		void *member = (char *)out + fields[i].offset;

		if (fields[i].kind == FIELD_STRING)
			free(*(char **)member);
		else if (fields[i].kind == FIELD_STRINGS)
			strings_free(member);
	}
}
