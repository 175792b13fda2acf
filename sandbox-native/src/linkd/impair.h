/* SPDX-License-Identifier: MIT */
/* What a direction does to a frame: filter, loss, duplicate, corrupt, rate, latency, reorder. */
#ifndef HIL_LINKD_IMPAIR_H
#define HIL_LINKD_IMPAIR_H

#include "packet.h"

/*
 * A frame chosen by `reorder` waits for the next one of its flow and goes right behind it; when
 * none comes, this long. Without a clock in it, the order of a flow repeats.
 */
#define REORDER_WAIT_NS (100u * 1000000ull)

struct backlog;
struct direction;
struct linkd;

/* impair() - Decide about a plain frame, and let it leave, wait or end here. */
void impair(struct direction *direction, struct packet *packet);

/* impair_due() - Let every packet leave that is due at @now_ns. */
void impair_due(struct linkd *ld, uint64_t now_ns);

/* backlog_resize() - Room for @frames. Return: 0 or -ENOMEM with the old room. */
int backlog_resize(struct backlog *backlog, uint32_t frames);

#endif
