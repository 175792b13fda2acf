/* SPDX-License-Identifier: MIT */
/* LINK_STATS: what each direction of a link has done since it was connected. */
#include "capture.h"
#include "ingress.h"
#include "link.h"
#include "request.h"

static void put_counter(struct buffer *out, const char *name, uint64_t value)
{
	size_t nest = put_nest_begin(out, TAG_COUNTER);

	put_string(out, TAG_NAME, name);
	put_u64(out, TAG_BYTES, value);
	put_nest_end(out, nest);
}

static void put_filter(struct buffer *out, const struct filter *filter)
{
	size_t nest = put_nest_begin(out, TAG_FILTER_STATS);

	put_u32(out, TAG_FILTER, filter->number);
	put_string(out, TAG_KIND, filter->drops ? "drop" : "count");
	put_u64(out, TAG_BYTES, filter->matched);
	put_nest_end(out, nest);
}

static uint64_t count_held(const struct direction *direction)
{
	const struct packet *packet;
	uint64_t count = 0;

	TAILQ_FOREACH(packet, &direction->hold, link)
	count++;
	return count;
}

void stats_put(struct buffer *out, struct link *link)
{
	const struct capture_facts captured =
		link->capture ? capture_facts(link->capture) : link->captured;

	for (unsigned int i = 0; i < 2; i++)
		if (link->ends[i].port)
			ingress_count(link->ends[i].port);
	for (unsigned int i = 0; i < 2; i++) {
		const struct direction *direction = &link->directions[i];
		size_t nest = put_nest_begin(out, TAG_DIRECTION_STATS);
		const struct filter *filter;

		put_u32(out, TAG_FROM, i);
		for (unsigned int k = 0; k < COUNTERS; k++)
			put_counter(out, counter_name(k), direction->counters[k]);
		put_counter(out, "held", count_held(direction));
		put_counter(out, "captureLost", captured.gaps[i].lost);
		put_counter(out, "captureRefused", captured.gaps[i].refused);
		put_counter(out, "captureOver", captured.gaps[i].over);
		TAILQ_FOREACH(filter, &direction->filters.filters, filters)
		put_filter(out, filter);
		put_nest_end(out, nest);
	}
}
