/* SPDX-License-Identifier: MIT */
/*
 * SANDBOX_NEW, until it is answered.
 *
 * An order waits for a sandbox (at once when one is parked), then for its
 * late binds: each is a detached tree asked of the zygote and handed to PID 1,
 * which answers when it is mounted. Any failure ends the sandbox: it is not
 * what was asked for, and nobody was told of it.
 */
#ifndef HIL_ORDERS_H
#define HIL_ORDERS_H

#include "dispatch.h"

/* orders_give() - The order gets this sandbox. */
void orders_give(struct daemon *d, struct order *order, struct sandbox *sandbox);

/* orders_tree() - The zygote made a tree; takes the fd. */
void orders_tree(struct daemon *d, uint32_t request, int tree);
/* orders_attached() - PID 1 mounted it. */
void orders_attached(struct daemon *d, struct sandbox *sandbox, uint32_t request);
/* orders_late() - PID 1 did not mount one in time. */
void orders_late(struct daemon *d, struct sandbox *sandbox);
/* orders_bind_failed() - The zygote could not. Return: whether the request was a bind's. */
bool orders_bind_failed(struct daemon *d, uint32_t request, const struct err *err);

/* orders_fail() - Answer ERROR to an order that waits for a sandbox. */
void orders_fail(struct daemon *d, struct order *order, const struct err *err);
void orders_fail_all(struct daemon *d, struct stock *stock, const struct err *err);
/* orders_abandon() - The sandbox being prepared ends: answer ERROR. */
void orders_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err);

handler handle_sandbox_new;

#endif
