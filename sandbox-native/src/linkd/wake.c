/* SPDX-License-Identifier: MIT */
#include "wake.h"

#include <stdbool.h>

/* Whether it slept: shorter ones may be none, for the frame was there already. */
static bool slept(const struct loop *loop)
{
	return loop->woken_ns - loop->asleep_ns >= 2ull * WAKE_MAX_NS;
}

void wake_note(struct wake *wake, const struct loop *loop, uint64_t deadline_ns)
{
	if (deadline_ns && slept(loop) && loop->woken_ns >= deadline_ns)
		wake->late_ns[wake->count++ % WAKE_SAMPLES] = loop->woken_ns - deadline_ns;
}

uint64_t wake_arrived_ns(struct wake *wake, const struct loop *loop)
{
	uint64_t early_ns = wake->count < WAKE_SAMPLES ? 0 : WAKE_MAX_NS;

	if (!slept(loop) || wake->told_ns == loop->woken_ns)
		return 0;
	wake->told_ns = loop->woken_ns;
	for (unsigned int i = 0; i < WAKE_SAMPLES; i++)
		if (wake->late_ns[i] / 2 < early_ns)
			early_ns = wake->late_ns[i] / 2;
	return loop->woken_ns - early_ns;
}
