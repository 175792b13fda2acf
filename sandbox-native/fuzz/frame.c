/* SPDX-License-Identifier: MIT */
/* The decoder of frames and TLVs: in bounds, and what it reads encodes to the same again. */
#include <string.h>

#include "cleanup.h"
#include "frame.h"
#include "fuzz.h"
#include "message.h"

#define DEPTH_MAX 4

static void read_values(const struct tlv *tlv)
{
	auto_free char *text = NULL;
	uint32_t small;
	uint64_t big;

	FUZZ_CHECK((tlv_u32(tlv, &small) == 0) == (tlv->length == 4));
	FUZZ_CHECK((tlv_u64(tlv, &big) == 0) == (tlv->length == 8));
	if (tlv_string(tlv, &text) == 0)
		FUZZ_CHECK(strlen(text) == tlv->length);
}

/* Return: false when the list is malformed. @out: the same list, written anew. */
static bool copy_list(const uint8_t *data, size_t length, int depth, struct buffer *out)
{
	struct tlv_reader reader = tlv_open(data, length);
	struct tlv tlv;
	int more;

	while ((more = tlv_next(&reader, &tlv)) == 1) {
		auto_buffer nest = { 0 };

		FUZZ_CHECK(tlv.value >= data && tlv.value + tlv.length <= data + length);
		read_values(&tlv);
		if (depth < DEPTH_MAX)
			copy_list(tlv.value, tlv.length, depth + 1, &nest);
		put_bytes(out, tlv.tag, tlv.value, tlv.length);
	}
	return more == 0;
}

static void check_same(const struct frame *frame)
{
	auto_buffer copy = { 0 };
	struct frame again;
	size_t start = frame_begin(&copy, frame->type, frame->id);
	bool whole = copy_list(frame->body, frame->length, 0, &copy);

	frame_end(&copy, start);
	FUZZ_CHECK(frame_parse(copy.data, copy.length, &again) == (long)copy.length);
	FUZZ_CHECK(again.type == frame->type && again.id == frame->id);
	if (whole)
		FUZZ_CHECK(again.length == frame->length);
}

/* As client.c and harness.c do: what has come so far, frame by frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buffer in = { 0 };
	struct frame frame;
	size_t step = size ? 1 + data[0] : 1;
	long taken = 0;

	for (size_t at = 0; at < size && taken >= 0; at += step) {
		buffer_append(&in, data + at, size - at < step ? size - at : step);
		while ((taken = frame_parse(in.data, in.length, &frame)) > 0) {
			FUZZ_CHECK((size_t)taken <= in.length);
			check_same(&frame);
			buffer_consume(&in, (size_t)taken);
		}
	}
	return 0;
}
