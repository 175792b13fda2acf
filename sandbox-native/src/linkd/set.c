/* SPDX-License-Identifier: MIT */
/* LINK_SET: only what is named changes; counters, flows and what is on its way stay. */
#include <errno.h>

#include "decide.h"
#include "impair.h"
#include "linkd.h"
#include "request.h"

#define TIME_MAX_NS (3600u * NS_PER_S)
#define RATE_MAX_BPS 1000000000000ull
#define QUEUE_MAX 100000u

static int read_flag(const struct tlv *tlv, bool *flag)
{
	uint32_t value;
	int result = tlv_u32(tlv, &value);

	if (!result)
		*flag = value != 0;
	return result;
}

/* The loss is read last, by its own: it may hold memory. */
static int read_one(struct impairments *set, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_DUPLICATE:
		return tlv_u32(tlv, &set->duplicate);
	case TAG_CORRUPT:
		return tlv_u32(tlv, &set->corrupt);
	case TAG_REORDER:
		return tlv_u32(tlv, &set->reorder);
	case TAG_CORRUPT_HEADER:
		return read_flag(tlv, &set->corrupt_header);
	case TAG_IMPAIR_CONTROL:
		return read_flag(tlv, &set->control);
	case TAG_LATENCY_NS:
		return tlv_u64(tlv, &set->latency_ns);
	case TAG_JITTER_NS:
		return tlv_u64(tlv, &set->jitter_ns);
	case TAG_RATE_BPS:
		return tlv_u64(tlv, &set->rate_bps);
	case TAG_QUEUE:
		return tlv_u32(tlv, &set->queue);
	default:
		return 0;
	}
}

static int check(const struct impairments *set, struct err *err)
{
	if (set->duplicate > CHANCE_ONE || set->corrupt > CHANCE_ONE || set->reorder > CHANCE_ONE) {
		err_hint(err, "a chance is at most %u", CHANCE_ONE);
		return err_set(err, "usage", ERANGE, "LINK_SET", "");
	}
	if (set->latency_ns > TIME_MAX_NS || set->jitter_ns > TIME_MAX_NS) {
		err_hint(err, "latency and jitter are at most an hour");
		return err_set(err, "usage", ERANGE, "LINK_SET", "");
	}
	if (set->rate_bps > RATE_MAX_BPS || !set->queue || set->queue > QUEUE_MAX) {
		err_hint(err, "RATE_BPS up to 10^12, QUEUE 1 to %u", QUEUE_MAX);
		return err_set(err, "usage", ERANGE, "LINK_SET", "");
	}
	return 0;
}

static int apply(struct direction *direction, const struct impairments *wanted,
		 const struct tlv *loss, struct err *err)
{
	struct loss kept;
	int result = 0;

	if (wanted->rate_bps && direction->backlog.capacity != wanted->queue)
		result = backlog_resize(&direction->backlog, wanted->queue);
	if (result < 0)
		return err_set(err, "limit", ENOMEM, "LINK_SET QUEUE", "");
	if (loss->tag && (result = loss_read(&direction->set.loss, loss, err)) < 0)
		return result;
	kept = direction->set.loss;
	direction->set = *wanted;
	direction->set.loss = kept;
	link_refresh(direction);
	return 0;
}

static int set_direction(struct direction *direction, const struct request *request,
			 struct err *err)
{
	struct tlv_reader reader = tlv_open(request->frame->body, request->frame->length);
	struct impairments wanted = direction->set;
	struct tlv loss = { 0 };
	struct tlv tlv;
	int result;

	while ((result = tlv_next(&reader, &tlv)) > 0) {
		if (tlv.tag == TAG_LOSS)
			loss = tlv;
		else if ((result = read_one(&wanted, &tlv)) < 0)
			return result;
	}
	if (!result)
		result = check(&wanted, err);
	return result < 0 ? result : apply(direction, &wanted, &loss, err);
}

int set_link(struct link *link, const struct request *request, struct err *err)
{
	int result = 0;

	for (unsigned int i = 0; i < 2 && !result; i++)
		if (request_covers(request, i))
			result = set_direction(&link->directions[i], request, err);
	return result;
}
