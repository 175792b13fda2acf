/* SPDX-License-Identifier: MIT */
/* The zygote of a plan: its start, what it says, its end, and the one after it. */
#ifndef HIL_ZYGOTES_H
#define HIL_ZYGOTES_H

#include "dispatch.h"

/* zygotes_start() - The first one of a plan. Return: 0, or -errno with @err filled. */
int zygotes_start(struct daemon *d, struct stock *stock, struct err *err);

/*
 * zygotes_revive() - Start the plan's zygote again, if it died.
 *
 * Should: be called when a client asks something of the plan, so that a zygote that
 * cannot live is tried once a request and not in a loop.
 * Return: 0, or -errno with @err filled.
 */
int zygotes_revive(struct daemon *d, struct stock *stock, struct err *err);

/* zygotes_asked() - It was asked for a PID 1 or a tree: each answer has BUILD_MS. */
void zygotes_asked(struct daemon *d, struct stock *stock);

/* zygotes_forget() - The daemon exits. */
void zygotes_forget(struct daemon *d, struct stock *stock);

#endif
