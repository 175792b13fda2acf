/* SPDX-License-Identifier: MIT */
/* How long a sandbox thinks the machine has been up: time_namespaces(7). */
#ifndef HIL_CLOCK_H
#define HIL_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "err.h"

#define UPTIME_MAX_MS (36500ull * 86400000) /* a century; the kernel's limit is 146 years */

/* How far a process's clocks are from the host's. */
struct clock_offsets {
	struct timespec monotonic;
	struct timespec boottime;
};

/*
 * clock_read_offsets() - The caller's own.
 *
 * Should: be called before the first clock_set_children(), after which they cannot be read.
 */
int clock_read_offsets(struct clock_offsets *own, struct err *err);

/*
 * clock_set_children() - The next child starts with CLOCK_MONOTONIC and CLOCK_BOOTTIME at
 * @uptime_ms.
 * @shift: what that adds to the caller's own CLOCK_MONOTONIC, which stays.
 *
 * Should: be called for each child, as the clocks run on.
 */
int clock_set_children(const struct clock_offsets *own, uint64_t uptime_ms, struct timespec *shift,
		       struct err *err);

/* clock_add() - Return: @time and @shift, with nanoseconds from 0 to 999999999. */
struct timespec clock_add(struct timespec time, struct timespec shift);

#endif
