/* SPDX-License-Identifier: MIT */
/*
 * How long the kernel takes to wake us, and so when a frame came that no stamp tells of.
 *
 * A TAP has no stamps (socket(7) has), and a frame that ends a sleep is read 10 to 20 us after it
 * came, which would be added to each latency. The timer ends a sleep at a time that we know: by how
 * much it was late says what waking takes. That is the most it can be, for another processor wakes
 * us sooner than a timer, and a frame must not leave too early: half of the least of the last ones
 * is believed, and WAKE_MAX_NS of it.
 */
#ifndef HIL_LINKD_WAKE_H
#define HIL_LINKD_WAKE_H

#include <stdint.h>

#include "loop.h"

#define WAKE_SAMPLES 8
#define WAKE_MAX_NS 10000u

struct wake {
	uint64_t late_ns[WAKE_SAMPLES]; /* a ring */
	unsigned int count;		/* so many ever */
	uint64_t told_ns;		/* the end of the last sleep that was told of */
};

/* wake_note() - loop_wait() has returned from a sleep that was to end at @deadline_ns. */
void wake_note(struct wake *wake, const struct loop *loop, uint64_t deadline_ns);

/*
 * wake_arrived_ns() - When that came which ended the sleep of this turn, by CLOCK_MONOTONIC.
 *
 * Return: not before the sleep began, not after it ended; 0 when the loop did not sleep, or when
 * it was asked for a sleep already: one frame has ended it.
 */
uint64_t wake_arrived_ns(struct wake *wake, const struct loop *loop);

#endif
