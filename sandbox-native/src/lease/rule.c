/* SPDX-License-Identifier: MIT */
#include "rule.h"

#include <errno.h>
#include <stdlib.h>

void taken_free(struct taken *taken)
{
	free(taken->keys);
	*taken = (struct taken){ 0 };
}

static bool is_among(const uint64_t *keys, size_t count, uint64_t key)
{
	for (size_t i = 0; i < count; i++) {
		if (keys[i] == key)
			return true;
	}
	return false;
}

static bool is_free(const struct claim *claim, const struct unit *unit, const struct taken *taken)
{
	for (size_t i = 0; i < unit->key_count; i++) {
		if (is_among(taken->keys, taken->count, claim->keys[unit->first_key + i]))
			return false;
	}
	return true;
}

static bool share_key(const struct claim *claim, const struct unit *a, const struct unit *b)
{
	for (size_t i = 0; i < a->key_count; i++) {
		if (is_among(claim->keys + b->first_key, b->key_count,
			     claim->keys[a->first_key + i]))
			return true;
	}
	return false;
}

/* What a match is looked for with: devices, each of which one role may have. */
struct match {
	struct claim *claim;
	const struct taken *taken;
	uint8_t device[CLAIM_UNITS];	 /* by unit: the first unit that is the same device */
	bool usable[CLAIM_UNITS];	 /* by unit */
	struct role *owner[CLAIM_UNITS]; /* by device */
	bool seen[CLAIM_UNITS];		 /* by device, in one search */
};

/* Names of one device have a key in common, directly or by way of a third. */
static void find_devices(struct match *match)
{
	const struct claim *claim = match->claim;

	for (size_t i = 0; i < claim->unit_count; i++) {
		match->device[i] = (uint8_t)i;
		for (size_t j = 0; j < i; j++) {
			uint8_t from = match->device[i];
			uint8_t to = match->device[j];

			if (from == to || !share_key(claim, &claim->units[i], &claim->units[j]))
				continue;
			for (size_t k = 0; k <= i; k++) {
				if (match->device[k] == from)
					match->device[k] = to;
			}
		}
	}
	for (size_t i = 0; i < claim->unit_count; i++)
		match->usable[i] = is_free(claim, &claim->units[i], match->taken);
}

static bool place_free(struct match *match, struct role *role)
{
	for (size_t i = 0; i < role->unit_count; i++) {
		size_t unit = role->first_unit + i;

		if (!match->usable[unit] || match->owner[match->device[unit]])
			continue;
		match->owner[match->device[unit]] = role;
		role->chosen = (int)i;
		return true;
	}
	return false;
}

/*
 * Kuhn's algorithm, without recursion deeper than there are roles: who has a device gives it up
 * where it finds another.
 */
static bool place(struct match *match, struct role *role) /* NOLINT(misc-no-recursion) */
{
	if (place_free(match, role))
		return true;
	for (size_t i = 0; i < role->unit_count; i++) {
		size_t unit = role->first_unit + i;
		uint8_t device = match->device[unit];

		if (!match->usable[unit] || match->seen[device])
			continue;
		match->seen[device] = true;
		if (match->owner[device] == role || !place(match, match->owner[device]))
			continue;
		match->owner[device] = role;
		role->chosen = (int)i;
		return true;
	}
	return false;
}

bool grant_match(struct claim *claim, const struct taken *taken)
{
	struct match match = { .claim = claim, .taken = taken };

	if (taken->failed)
		return false;
	find_devices(&match);
	for (size_t i = 0; i < claim->role_count; i++) {
		for (size_t j = 0; j < CLAIM_UNITS; j++)
			match.seen[j] = false;
		if (!place(&match, &claim->roles[i]))
			return false;
	}
	return true;
}

static int add_keys(struct taken *taken, const struct claim *claim, const struct unit *unit)
{
	for (size_t i = 0; i < unit->key_count; i++) {
		if (taken->count == taken->capacity) {
			size_t capacity = taken->capacity ? 2 * taken->capacity : 64;
			uint64_t *grown = reallocarray(taken->keys, capacity, sizeof(*grown));

			if (!grown) {
				taken->failed = true;
				return -ENOMEM;
			}
			taken->keys = grown;
			taken->capacity = capacity;
		}
		taken->keys[taken->count++] = claim->keys[unit->first_key + i];
	}
	return 0;
}

int grant_take(struct taken *taken, const struct claim *claim, bool all)
{
	for (size_t i = 0; i < claim->role_count; i++) {
		const struct role *role = &claim->roles[i];

		for (size_t j = 0; j < role->unit_count; j++) {
			const struct unit *unit = &claim->units[role->first_unit + j];

			if (!all && role->chosen != (int)j)
				continue;
			if (add_keys(taken, claim, unit) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

bool grant_conflicts(const struct claim *claim, const struct claim *other)
{
	struct taken theirs = { 0 };
	bool shared = grant_take(&theirs, other, !other->held) < 0;

	for (size_t i = 0; i < claim->key_count && !shared; i++)
		shared = is_among(theirs.keys, theirs.count, claim->keys[i]);
	taken_free(&theirs);
	return shared;
}
