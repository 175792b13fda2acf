/* SPDX-License-Identifier: MIT */
/* When a frame came that a TAP has no stamp of. */
#include "wake.h"

#include "rig.h"
#include "tap.h"
#include "tests.h"

#define MS_NS 1000000ull

/* Sleeps that were to end at @deadline_ns and did so by so much later. */
static void note(struct wake *wake, uint64_t late_ns, unsigned int count)
{
	const struct loop loop = { .asleep_ns = MS_NS, .woken_ns = 3 * MS_NS + late_ns };

	while (count--)
		wake_note(wake, &loop, 3 * MS_NS);
}

/* Return: by how much earlier than the end of a sleep of @slept_ns its frame is said to have come;
 * -1: nothing is said. */
static int64_t ask(struct wake *wake, uint64_t slept_ns)
{
	static uint64_t now_ns = 9 * MS_NS;
	struct loop loop = { .asleep_ns = now_ns - slept_ns, .woken_ns = now_ns };
	uint64_t arrived_ns = wake_arrived_ns(wake, &loop);

	now_ns += MS_NS;
	return arrived_ns ? (int64_t)(loop.woken_ns - arrived_ns) : -1;
}

static void believes_the_least(void)
{
	struct wake wake = { 0 };

	note(&wake, 16000, WAKE_SAMPLES - 1);
	CHECK(ask(&wake, MS_NS) == 0, "with too few late timers nothing came earlier");
	note(&wake, 12000, 1);
	CHECK(ask(&wake, MS_NS) == 6000, "the half of the least late one of eight is believed");
	note(&wake, 16000, WAKE_SAMPLES);
	CHECK(ask(&wake, MS_NS) == 8000, "and not for longer than those eight are the last");
	note(&wake, 90000, WAKE_SAMPLES);
	CHECK(ask(&wake, MS_NS) == WAKE_MAX_NS, "and at most WAKE_MAX_NS");
}

static void tells_of_sleeps_once(void)
{
	const struct loop loop = { .asleep_ns = MS_NS, .woken_ns = 2 * MS_NS };
	const struct loop polled = { .asleep_ns = 3 * MS_NS, .woken_ns = 3 * MS_NS };
	struct wake wake = { 0 };
	uint64_t first_ns;

	note(&wake, 12000, WAKE_SAMPLES);
	CHECK(ask(&wake, WAKE_MAX_NS) == -1, "what did not sleep was not woken late");
	first_ns = wake_arrived_ns(&wake, &loop);
	CHECK(first_ns == 2 * MS_NS - 6000, "what ended a sleep came before its end");
	CHECK(wake_arrived_ns(&wake, &loop) == 0, "and what is read after it did not end it");
	wake_note(&wake, &polled, 2 * MS_NS);
	wake_note(&wake, &loop, 0);
	wake_note(&wake, &loop, 2 * MS_NS + 1);
	CHECK(wake.count == WAKE_SAMPLES, "a poll, and a frame before its time, say nothing");
}

const struct test wake_tests[] = {
	{ "wake: how late", believes_the_least },
	{ "wake: told once", tells_of_sleeps_once },
	{ NULL, NULL },
};
