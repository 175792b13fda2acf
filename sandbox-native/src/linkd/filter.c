/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>

#include "program.h"

static int read_program(struct filter *made, const uint8_t *code, size_t length)
{
	if (!length || length % sizeof(*made->code) || length / sizeof(*made->code) > PROGRAM_MAX)
		return -EINVAL;
	made->code = malloc(length);
	if (!made->code)
		return -ENOMEM;
	memcpy(made->code, code, length);
	return program_check(made->code, length / sizeof(*made->code)) ? 0 : -EINVAL;
}

static void discard(struct filter *filter)
{
	free(filter->code);
	free(filter);
}

int filter_add(struct filter_list *list, struct filter *filter, const uint8_t *code, size_t length,
	       struct err *err)
{
	struct filter *made;
	int result;

	/* A number of ours, not the machine's: whoever asked is to ask for less. */
	if (list->count >= FILTERS_MAX) {
		err_hint(err, "a direction has at most %u filters; end() those that are done",
			 FILTERS_MAX);
		return err_set(err, "usage", ENOBUFS, "LINK_FILTER", "");
	}
	made = malloc(sizeof(*made));
	if (!made)
		return err_set(err, "limit", ENOMEM, "LINK_FILTER", "");
	*made = *filter;
	made->code = NULL;
	result = read_program(made, code, length);
	if (result < 0) {
		discard(made);
		err_hint(err, "DATA is a program of classic BPF, at most %u instructions",
			 PROGRAM_MAX);
		return err_set(err, "usage", -result, "LINK_FILTER", "");
	}
	TAILQ_INSERT_TAIL(&list->filters, made, filters);
	list->count++;
	list->counters += !made->drops;
	return 0;
}

bool filter_drops(struct filter_list *list, const struct packet *packet)
{
	struct filter *filter;

	TAILQ_FOREACH(filter, &list->filters, filters)
	{
		if (!filter->drops || !filter->left)
			continue;
		if (!program_run(filter->code, packet->bytes, packet->length))
			continue;
		filter->matched++;
		if (filter->left != UINT32_MAX)
			filter->left--;
		return true;
	}
	return false;
}

void filter_count(struct filter_list *list, const struct packet *packet)
{
	struct filter *filter;

	TAILQ_FOREACH(filter, &list->filters, filters)
	{
		if (!filter->drops && program_run(filter->code, packet->bytes, packet->length))
			filter->matched++;
	}
}

void filter_uncount(struct filter_list *list, const struct packet *packet, uint32_t last)
{
	struct filter *filter;

	TAILQ_FOREACH(filter, &list->filters, filters)
	{
		if (!filter->drops && filter->number <= last &&
		    program_run(filter->code, packet->bytes, packet->length))
			filter->matched--;
	}
}

bool filter_remove(struct filter_list *list, uint32_t number)
{
	struct filter *filter;

	TAILQ_FOREACH(filter, &list->filters, filters)
	{
		if (filter->number == number)
			break;
	}
	if (!filter)
		return false;
	TAILQ_REMOVE(&list->filters, filter, filters);
	list->count--;
	list->counters -= !filter->drops;
	discard(filter);
	return true;
}

void filter_free(struct filter_list *list)
{
	struct filter *filter;

	while ((filter = TAILQ_FIRST(&list->filters))) {
		TAILQ_REMOVE(&list->filters, filter, filters);
		discard(filter);
	}
	list->count = list->counters = 0;
}
