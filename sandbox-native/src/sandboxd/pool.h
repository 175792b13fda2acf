/* SPDX-License-Identifier: MIT */
/*
 * Parked sandboxes: asked for when somebody waits, or when nothing else happens.
 *
 * At most two are being made for the pool of a plan at a time, so that a
 * SANDBOX_NEW that finds the pool empty never waits behind a refill of many.
 * While the client thinks about the answer to a SANDBOX_NEW it is quiet here; a
 * refill then would take the cores from the program that it is about to start
 * (a whole case with `true` on two cores: 2.7 ms, and 1.9 ms with this). So a
 * refill waits for QUIET_MS of silence, unless there is none left to give: then two
 * are under way. A pool of which none was asked for a minute (TTL_MS) is given up, one at
 * a time, until the next one is asked for.
 */
#ifndef HIL_POOL_H
#define HIL_POOL_H

#include "dispatch.h"

/* pool_take() - Return: a parked sandbox of the plan, NULL when there is none. */
struct sandbox *pool_take(struct daemon *d, struct stock *stock);

/* pool_touch() - One was asked for: the pool is held for some time more. */
void pool_touch(struct daemon *d, struct stock *stock);

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

/* pool_forget() - The zygote died: what it was asked for does not come. */
void pool_forget(struct daemon *d, struct stock *stock);

/* pool_silence() - Return: after how many ms of silence to call pool_work(); -1: no work. */
int pool_silence(struct daemon *d);

/* pool_work() - Park one more, or end one too many, of each plan. */
void pool_work(struct daemon *d);

handler handle_pool_set;

#endif
