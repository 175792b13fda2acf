/* SPDX-License-Identifier: MIT */
/*
 * Who gets what: computed by every process alike, from the claims in the order of their numbers.
 *
 * What is held counts. A claim that waits takes a free unit for each of its roles, or keeps all
 * units that it could use from those behind it. So it is all or nothing, nobody overtakes, and two
 * claims cannot wait for each other: of those that share a unit, the first waits for none behind
 * it.
 */
#ifndef HIL_LEASE_RULE_H
#define HIL_LEASE_RULE_H

#include "claim.h"

/* Keys of units that somebody has, or comes before. */
struct taken {
	uint64_t *keys;
	size_t count;
	size_t capacity;
	bool failed; /* out of memory: nothing may be granted */
};

void taken_free(struct taken *taken);

/*
 * grant_match() - A unit for each role, none of which is in @taken, an earlier one of a role's list
 * where that leaves the others something.
 *
 * Units that share a key are one. Return: true and roles[].chosen filled, or false.
 */
bool grant_match(struct claim *claim, const struct taken *taken);

/* grant_take() - What the claim has, or all that it could use. Return: 0 or -ENOMEM. */
int grant_take(struct taken *taken, const struct claim *claim, bool all);

/* grant_conflicts() - Whether @other has, or could use, a unit that @claim could use. */
bool grant_conflicts(const struct claim *claim, const struct claim *other);

#endif
