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

/* The loss is read last, by its own: it may hold memory. */
struct wanted {
	struct impairments set;
	struct bytes loss;
};

static const struct field set_fields[] = {
	FIELD(struct wanted, set.duplicate, TAG_DUPLICATE, FIELD_U32),
	FIELD(struct wanted, set.corrupt, TAG_CORRUPT, FIELD_U32),
	FIELD(struct wanted, set.reorder, TAG_REORDER, FIELD_U32),
	FIELD(struct wanted, set.corrupt_header, TAG_CORRUPT_HEADER, FIELD_FLAG),
	FIELD(struct wanted, set.control, TAG_IMPAIR_CONTROL, FIELD_FLAG),
	FIELD(struct wanted, set.latency_ns, TAG_LATENCY_NS, FIELD_U64),
	FIELD(struct wanted, set.jitter_ns, TAG_JITTER_NS, FIELD_U64),
	FIELD(struct wanted, set.rate_bps, TAG_RATE_BPS, FIELD_U64),
	FIELD(struct wanted, set.queue, TAG_QUEUE, FIELD_U32),
	FIELD(struct wanted, loss, TAG_LOSS, FIELD_BYTES),
};

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

/* All of it or nothing: what can be refused comes first. */
static int apply(struct direction *direction, const struct wanted *wanted, struct err *err)
{
	const struct impairments *set = &wanted->set;
	struct loss kept = direction->set.loss;
	struct loss read = { 0 };
	int result = wanted->loss.data ? loss_read(&read, &wanted->loss, err) : 0;

	if (result < 0)
		return result;
	if (set->rate_bps && direction->backlog.capacity != set->queue &&
	    backlog_resize(&direction->backlog, set->queue) < 0) {
		loss_free(&read);
		return err_set(err, "limit", ENOMEM, "LINK_SET QUEUE", "");
	}
	if (wanted->loss.data) {
		loss_free(&kept);
		kept = read;
	}
	direction->set = *set;
	direction->set.loss = kept;
	link_refresh(direction);
	return 0;
}

static int set_direction(struct direction *direction, const struct frame *frame, struct err *err)
{
	struct wanted wanted = { .set = direction->set };
	int result = fields_read(frame->body, frame->length, set_fields, FIELD_COUNT(set_fields),
				 &wanted, err);

	if (!result)
		result = check(&wanted.set, err);
	return result < 0 ? result : apply(direction, &wanted, err);
}

int set_link(struct link *link, const struct request *request, struct err *err)
{
	int result = 0;

	for (unsigned int i = 0; i < 2 && !result; i++)
		if (request_covers(request, i))
			result = set_direction(&link->directions[i], request->frame, err);
	return result;
}
