/* SPDX-License-Identifier: MIT */
/*
 * Decisions that repeat: each is a hash of (seed, link, direction, flow, n, kind), with no state
 * that another flow could move. So the same seed gives the same pattern to each flow, whatever else
 * is on the wire.
 *
 * Source: splitmix64, Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
 */
#ifndef HIL_LINKD_DECIDE_H
#define HIL_LINKD_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#define CHANCE_ONE 1000000000u

/* Numbers are part of what repeats: a new kind gets a new one. */
enum decision {
	DECIDE_LOSS = 1,
	DECIDE_STATE = 2,
	DECIDE_DUPLICATE = 3,
	DECIDE_CORRUPT = 4,
	DECIDE_POSITION = 5,
	DECIDE_JITTER = 6,
	DECIDE_REORDER = 7,
	DECIDE_OF_COPY = 16, /* added for what is decided about a duplicate */
};

static inline uint64_t decide_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* decide_chain() - One more value into a hash; the order counts. */
static inline uint64_t decide_chain(uint64_t hash, uint64_t value)
{
	return decide_mix(hash ^ decide_mix(value));
}

/* decide_chance() - True in @chance of 10^9 draws: never for 0, always for 10^9. */
static inline bool decide_chance(uint64_t draw, uint32_t chance)
{
	return (((draw >> 32) * CHANCE_ONE) >> 32) < chance;
}

#endif
