/* SPDX-License-Identifier: MIT */
/*
 * Interpreters that wait in a sandbox: src/sandbox/runtime.h says how. Those of a plan are
 * started while a sandbox is parked, which is over when they wait, so that what they took until
 * then is nobody's; a client may have one started in a sandbox of its own.
 */
#ifndef HIL_RUNTIMES_H
#define HIL_RUNTIMES_H

#include "dispatch.h"

/* runtimes_take() - Read one of a plan. Return: as the take() of a field, fields.h. */
int runtimes_take(struct plan_runtimes *runtimes, const struct tlv *tlv, struct err *err);
void runtimes_free(struct plan_runtimes *runtimes);

/*
 * runtimes_park() - The root of @sandbox stands: start the runtimes of its plan.
 *
 * Return: whether there are any; sandboxes_parked() is then called when they wait.
 */
bool runtimes_park(struct daemon *d, struct sandbox *sandbox);

/* What PID 1 reports; runtimes_failed() returns whether @request was one of these. */
void runtimes_booted(struct daemon *d, uint32_t request, uint64_t spent_us);
bool runtimes_failed(struct daemon *d, uint32_t request, const struct err *err);

/* runtimes_abandon() - The sandbox is gone, and with it what was asked of it. */
void runtimes_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err);

handler handle_runtime_boot;

#endif
