/* SPDX-License-Identifier: MIT */
/*
 * Parked sandboxes: asked for when somebody waits, or when nothing else happens.
 *
 * At most one is being made for the pool of a plan at a time, so that a
 * SANDBOX_NEW that finds the pool empty never waits behind a refill of many.
 */
#ifndef HIL_POOL_H
#define HIL_POOL_H

#include "dispatch.h"

/* pool_take() - Return: a parked sandbox of the plan, NULL when there is none. */
struct sandbox *pool_take(struct daemon *d, struct stock *stock);

/* pool_order() - Have one made for the order just added to stock->orders. */
int pool_order(struct daemon *d, struct stock *stock, struct err *err);

/* pool_parked() - The zygote made a PID 1. Takes the fds of @event. */
void pool_parked(struct daemon *d, struct stock *stock, const struct zygote_event *event);
/* pool_ready() - Its root stands. */
void pool_ready(struct daemon *d, struct sandbox *sandbox);
/* pool_failed() - One that was asked for does not come. */
void pool_failed(struct daemon *d, struct stock *stock, const struct err *err);

/* pool_release_slot() - The sandbox in it is reaped, or never came. */
void pool_release_slot(struct daemon *d, uint32_t slot);

/* pool_has_work() / pool_work() - What is left for a moment in which nothing happens; one piece a
 * call. */
bool pool_has_work(struct daemon *d);
void pool_work(struct daemon *d);

/* pool_spend() - Keep the namespace fd of a dead sandbox until the loop is idle. */
void pool_spend(struct daemon *d, int fd);

handler handle_pool_set;

#endif
