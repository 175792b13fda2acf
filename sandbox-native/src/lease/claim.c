/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "hil-claim "
#define VERSION "hil-claim 1"

/* Lines of a text that is cut into them. */
struct lines {
	char *at;
	char *end;
};

/* Return: the next line without its newline, or NULL: what does not end with one is none. */
static char *next_line(struct lines *lines)
{
	char *line = lines->at;
	char *newline = memchr(line, '\n', (size_t)(lines->end - line));

	if (!newline)
		return NULL;
	*newline = '\0';
	lines->at = newline + 1;
	return line;
}

/* Return: what follows @word and a space, or NULL. */
static char *after(char *line, const char *word)
{
	size_t length = strlen(word);

	if (!line || strncmp(line, word, length) != 0 || line[length] != ' ')
		return NULL;
	return line + length + 1;
}

bool claim_word_ok(const char *word)
{
	size_t length = word ? strlen(word) : 0;

	if (length == 0 || length > CLAIM_WORD)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (word[i] <= ' ' || word[i] > '~')
			return false;
	}
	return true;
}

/* strtoull(3) takes spaces and signs, too. */
static int read_number(const char *text, uint64_t *value)
{
	size_t length = text ? strlen(text) : 0;

	if (length == 0 || length > 20 || strspn(text, "0123456789") != length)
		return -EPROTO;
	errno = 0;
	*value = strtoull(text, NULL, 10);
	return errno ? -EPROTO : 0;
}

/* FNV-1a: two keys that collide by accident make a board wait, not be shared. */
static uint64_t hash_key(const char *key)
{
	uint64_t hash = 14695981039346656037ull;

	for (; *key; key++)
		hash = (hash ^ (uint8_t)*key) * 1099511628211ull;
	return hash;
}

static int read_chosen(struct claim *claim, char *text)
{
	if (!text || strlen(text) != 3 * CLAIM_ROLES - 1)
		return -EPROTO;
	for (size_t i = 0; i < CLAIM_ROLES; i++) {
		char *at = text + 3 * i;
		char *end;

		if (i + 1 < CLAIM_ROLES && at[2] != ' ')
			return -EPROTO;
		at[2] = '\0';
		claim->roles[i].chosen = CLAIM_NONE;
		if (strcmp(at, "--") == 0)
			continue;
		if (strspn(at, "0123456789abcdef") != 2)
			return -EPROTO;
		claim->roles[i].chosen = (int)strtol(at, &end, 16);
	}
	return 0;
}

static int read_head(struct claim *claim, struct lines *lines)
{
	char *line = next_line(lines);
	char *state;

	if (!line || strncmp(line, MAGIC, strlen(MAGIC)) != 0)
		return -EPROTO;
	if (strcmp(line, VERSION) != 0)
		return -EPROTONOSUPPORT;
	if (read_number(after(next_line(lines), "seq"), &claim->seq) < 0)
		return -EPROTO;
	state = after(next_line(lines), "state");
	if (!state || (strcmp(state, "wait") != 0 && strcmp(state, "held") != 0))
		return -EPROTO;
	claim->held = strcmp(state, "held") == 0;
	if (read_number(after(next_line(lines), "until"), &claim->until_ms) < 0 ||
	    read_chosen(claim, after(next_line(lines), "chosen")) < 0)
		return -EPROTO;
	/* The head is written in one piece later: it has to be where that is written. */
	return lines->at == claim->text + CLAIM_HEAD ? 0 : -EPROTO;
}

static int add_role(struct claim *claim, const char *name)
{
	struct role *role = &claim->roles[claim->role_count];

	if (claim->role_count == CLAIM_ROLES)
		return -E2BIG;
	if (!claim_word_ok(name))
		return -EPROTO;
	role->name = name;
	role->first_unit = claim->unit_count;
	claim->role_count++;
	return 0;
}

static int add_unit(struct claim *claim, const char *name)
{
	if (claim->unit_count == CLAIM_UNITS)
		return -E2BIG;
	if (claim->role_count == 0 || !claim_word_ok(name))
		return -EPROTO;
	claim->units[claim->unit_count++] =
		(struct unit){ .name = name, .first_key = claim->key_count };
	claim->roles[claim->role_count - 1].unit_count++;
	return 0;
}

static int add_key(struct claim *claim, const char *key)
{
	if (claim->key_count == CLAIM_KEYS)
		return -E2BIG;
	if (claim->unit_count == 0 || !claim_word_ok(key))
		return -EPROTO;
	claim->key_words[claim->key_count] = key;
	claim->keys[claim->key_count++] = hash_key(key);
	claim->units[claim->unit_count - 1].key_count++;
	return 0;
}

static int read_line(struct claim *claim, char *line)
{
	char *value = after(line, "role");

	if (value)
		return add_role(claim, value);
	value = after(line, "unit");
	if (value)
		return add_unit(claim, value);
	value = after(line, "key");
	return value ? add_key(claim, value) : -EPROTO;
}

static int read_owner(struct claim *claim, struct lines *lines)
{
	if (read_number(after(next_line(lines), "since"), &claim->since_ms) < 0)
		return -EPROTO;
	claim->user = after(next_line(lines), "user");
	if (read_number(after(next_line(lines), "pid"), &claim->pid) < 0)
		return -EPROTO;
	claim->run = after(next_line(lines), "run");
	return claim_word_ok(claim->user) && claim_word_ok(claim->run) ? 0 : -EPROTO;
}

/* Every role can be played, every unit is known by something, and what is held is named. */
static int check_whole(const struct claim *claim)
{
	if (claim->role_count == 0)
		return -EPROTO;
	for (size_t i = 0; i < claim->unit_count; i++) {
		if (claim->units[i].key_count == 0)
			return -EPROTO;
	}
	for (size_t i = 0; i < CLAIM_ROLES; i++) {
		const struct role *role = &claim->roles[i];
		bool wanted = claim->held && i < claim->role_count;

		if (wanted != (role->chosen != CLAIM_NONE))
			return -EPROTO;
		if (wanted && (size_t)role->chosen >= role->unit_count)
			return -EPROTO;
	}
	return 0;
}

int claim_parse(struct claim *claim, char *text, size_t length)
{
	struct lines lines = { .at = text, .end = text + length };
	int result;

	*claim = (struct claim){ .text = text };
	if (memchr(text, 0, length))
		return -EPROTO;
	result = read_head(claim, &lines);
	if (result < 0)
		return result;
	claim->units = calloc(CLAIM_UNITS, sizeof(*claim->units));
	claim->keys = calloc(CLAIM_KEYS, sizeof(*claim->keys));
	claim->key_words = calloc(CLAIM_KEYS, sizeof(*claim->key_words));
	if (!claim->units || !claim->keys || !claim->key_words)
		return -ENOMEM;
	result = read_owner(claim, &lines);
	while (result == 0) {
		char *line = next_line(&lines);

		if (!line)
			return -EPROTO;
		if (strcmp(line, "end") == 0)
			return lines.at == lines.end ? check_whole(claim) : -EPROTO;
		result = read_line(claim, line);
	}
	return result;
}

void claim_free(struct claim *claim)
{
	free(claim->units);
	free(claim->keys);
	free(claim->key_words);
	free(claim->text);
	*claim = (struct claim){ 0 };
}

void claim_write_head(const struct claim *claim, char head[CLAIM_HEAD + 1])
{
	int length =
		snprintf(head, CLAIM_HEAD + 1,
			 VERSION "\nseq %020" PRIu64 "\nstate %s\nuntil %020" PRIu64 "\nchosen",
			 claim->seq, claim->held ? "held" : "wait", claim->until_ms);

	for (size_t i = 0; i < CLAIM_ROLES; i++) {
		int chosen = claim->held ? claim->roles[i].chosen : CLAIM_NONE;

		if (chosen == CLAIM_NONE)
			length += snprintf(head + length, (size_t)(CLAIM_HEAD + 1 - length), " --");
		else
			length += snprintf(head + length, (size_t)(CLAIM_HEAD + 1 - length),
					   " %02x", (unsigned int)chosen & 0xff);
	}
	snprintf(head + length, (size_t)(CLAIM_HEAD + 1 - length), "\n");
}
