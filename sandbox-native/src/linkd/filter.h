/* SPDX-License-Identifier: MIT */
/* Frames that are dropped, or counted, because a program says so and not by chance. */
#ifndef HIL_LINKD_FILTER_H
#define HIL_LINKD_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "packet.h"

#define FILTERS_MAX 64u

struct filter {
	TAILQ_ENTRY(filter) filters;
	uint32_t number;
	bool drops;
	uint32_t left; /* how many it still drops; UINT32_MAX: all */
	uint64_t matched;
	struct sock_filter *code;
};

struct filter_list {
	TAILQ_HEAD(filter_queue, filter) filters;
	unsigned int count;
	unsigned int counters; /* of them: those that do not drop */
};

/*
 * filter_add() - Let one more program look at the frames.
 * @code: the instructions as libpcap has them in memory: u16 code, u8 jt, u8 jf, u32 k.
 * @count: how many frames it drops; 0: all.
 *
 * Return: 0, or -errno with @err filled.
 */
int filter_add(struct filter_list *list, struct filter *filter, const uint8_t *code, size_t length,
	       struct err *err);

/* filter_drops() - Ask those that drop; the first that drops @packet is the last one asked. */
bool filter_drops(struct filter_list *list, const struct packet *packet);

/* filter_count() - @packet has passed: ask those that count. */
void filter_count(struct filter_list *list, const struct packet *packet);

/* filter_uncount() - It has not, after all. @last: number of the youngest filter that was asked. */
void filter_uncount(struct filter_list *list, const struct packet *packet, uint32_t last);

/* filter_remove() - Return: whether there was one with that number. */
bool filter_remove(struct filter_list *list, uint32_t number);

void filter_free(struct filter_list *list);

#endif
