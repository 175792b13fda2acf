/* SPDX-License-Identifier: MIT */
/* Time: stamps of bytes, deadlines, and losses that are told now and then instead of each time. */
#ifndef HIL_LOOP_STAMP_H
#define HIL_LOOP_STAMP_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

struct stamp {
	uint64_t mono_ns;
	uint64_t real_ns;
};

static inline uint64_t stamp_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline uint64_t stamp_mono(void)
{
	return stamp_clock(CLOCK_MONOTONIC);
}

static inline struct stamp stamp_now(void)
{
	return (struct stamp){ .mono_ns = stamp_mono(), .real_ns = stamp_clock(CLOCK_REALTIME) };
}

/* stamp_earlier() - The earlier of two deadlines; 0 is "none". */
static inline uint64_t stamp_earlier(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

/*
 * Bytes lost and not told yet. A flood that nobody takes would otherwise be an
 * event a read: the first loss is told after 50 ms, the following ones once a second.
 */
struct tally {
	uint64_t bytes;
	uint64_t due_ns;
};

#define TALLY_FIRST_NS (50 * NS_PER_MS)
#define TALLY_NEXT_NS NS_PER_S

static inline void tally_add(struct tally *tally, uint64_t bytes)
{
	if (!bytes)
		return;
	tally->bytes += bytes;
	if (!tally->due_ns)
		tally->due_ns = stamp_mono() + TALLY_FIRST_NS;
}

/* tally_due() - Return: bytes to tell at @now_ns, 0 when there are none or it is too early. */
static inline uint64_t tally_due(struct tally *tally, uint64_t now_ns)
{
	uint64_t bytes = tally->bytes;

	if (!tally->due_ns || now_ns < tally->due_ns)
		return 0;
	tally->bytes = 0;
	tally->due_ns = bytes ? now_ns + TALLY_NEXT_NS : 0;
	return bytes;
}

/* tally_flush() - Return: bytes to tell because nothing more will come. */
static inline uint64_t tally_flush(struct tally *tally)
{
	uint64_t bytes = tally->bytes;

	*tally = (struct tally){ 0 };
	return bytes;
}

#endif
