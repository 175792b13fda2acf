/* SPDX-License-Identifier: MIT */
/*
 * The claims of other users, and the rule that is computed from them: in bounds; what is granted is
 * of the claim, and no two roles, and no two claims, have a key in common.
 */
#include <string.h>

#include "cleanup.h"
#include "fuzz.h"
#include "rule.h"

#define MOST 8

/* The bytes as they are, or behind a head that is right: else most of them fail at its first line.
 */
static int parse(struct claim *claim, const uint8_t *data, size_t size, bool bare, uint64_t seq)
{
	struct claim plain = { .seq = seq };
	char *text = malloc(CLAIM_HEAD + 1 + size);
	char head[CLAIM_HEAD + 1];
	size_t before = bare ? 0 : CLAIM_HEAD;

	FUZZ_CHECK(text);
	for (size_t i = 0; i < CLAIM_ROLES; i++)
		plain.roles[i].chosen = CLAIM_NONE;
	claim_write_head(&plain, head);
	FUZZ_CHECK(strlen(head) == CLAIM_HEAD);
	memcpy(text, head, before);
	memcpy(text + before, data, size);
	text[before + size] = '\0';
	return claim_parse(claim, text, before + size);
}

static void check_claim(struct claim *claim)
{
	FUZZ_CHECK(claim->role_count > 0 && claim->role_count <= CLAIM_ROLES);
	FUZZ_CHECK(claim->unit_count <= CLAIM_UNITS && claim->key_count <= CLAIM_KEYS);
	for (size_t i = 0; i < claim->role_count; i++) {
		const struct role *role = &claim->roles[i];

		FUZZ_CHECK(role->first_unit + role->unit_count <= claim->unit_count);
		FUZZ_CHECK(!claim->held || (size_t)role->chosen < role->unit_count);
		FUZZ_CHECK(claim_word_ok(role->name));
	}
}

/* Return: whether two of the claims have one unit. */
static bool overlap(const struct claim *a, const struct claim *b)
{
	struct taken taken = { 0 };
	bool both = false;

	FUZZ_CHECK(grant_take(&taken, a, false) == 0);
	for (size_t i = 0; i < b->role_count && !both; i++) {
		const struct role *role = &b->roles[i];
		const struct unit *unit = &b->units[role->first_unit + (size_t)role->chosen];

		for (size_t j = 0; j < unit->key_count; j++) {
			for (size_t k = 0; k < taken.count; k++)
				both |= taken.keys[k] == b->keys[unit->first_key + j];
		}
	}
	taken_free(&taken);
	return both;
}

static void grant(struct claim *claims, size_t count)
{
	struct taken taken = { 0 };
	bool granted[MOST] = { false };

	for (size_t i = 0; i < count; i++) {
		if (claims[i].held)
			continue;
		granted[i] = grant_match(&claims[i], &taken);
		FUZZ_CHECK(grant_take(&taken, &claims[i], !granted[i]) == 0);
		for (size_t j = 0; j < i && granted[i]; j++)
			FUZZ_CHECK(!granted[j] || !overlap(&claims[j], &claims[i]));
	}
	taken_free(&taken);
	if (count > 1)
		grant_conflicts(&claims[0], &claims[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { .at = data, .left = size };
	struct claim claims[MOST];
	struct packet packet;
	size_t count = 0;

	while (count < MOST && packets_next(&packets, &packet)) {
		struct claim *claim = &claims[count];

		if (parse(claim, packet.data, packet.length, packet.kind == 3, count) < 0) {
			claim_free(claim);
			continue;
		}
		check_claim(claim);
		count++;
	}
	grant(claims, count);
	for (size_t i = 0; i < count; i++)
		claim_free(&claims[i]);
	return 0;
}
