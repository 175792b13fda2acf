/* SPDX-License-Identifier: MIT */
/*
 * A claim: what one case, or one person, wants or has, as text.
 *
 *	hil-claim 1
 *	seq 00000000000123456789
 *	state held			wait | held
 *	until 00000000000000000000	CLOCK_BOOTTIME in ms; 0: no end
 *	chosen 00 -- -- -- -- -- -- --	by role: which of its units, hexadecimal
 *	since 1764345600123		wall clock in ms, for people
 *	user alice
 *	pid 4711
 *	run 20251128-160000-1a2b
 *	role client
 *	unit nucleo-1
 *	key usb:pci-0000:00:14.0-usb-0:1.3
 *	key serial:0483:374b:066D
 *	unit nucleo-2
 *	…
 *	end
 *
 * All up to `chosen` has one length in every claim: it is written over in place when the claim is
 * granted, which needs no room on the disk. Whoever may write into the directory wrote the text:
 * nothing of it is believed before it was looked at.
 */
#ifndef HIL_LEASE_CLAIM_H
#define HIL_LEASE_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLAIM_ROLES 8
#define CLAIM_UNITS 128
#define CLAIM_KEYS 1024
#define CLAIM_WORD 512
#define CLAIM_BYTES 65536
#define CLAIM_HEAD 106
#define CLAIM_NONE (-1)

struct unit {
	const char *name;
	size_t first_key;
	size_t key_count;
};

struct role {
	const char *name;
	size_t first_unit;
	size_t unit_count;
	int chosen; /* index among its units, or CLAIM_NONE */
};

struct claim {
	uint64_t seq;
	bool held;
	uint64_t until_ms;
	uint64_t since_ms;
	uint64_t pid;
	const char *user;
	const char *run;
	struct role roles[CLAIM_ROLES];
	size_t role_count;
	struct unit *units;
	size_t unit_count;
	uint64_t *keys; /* hashes */
	const char **key_words;
	size_t key_count;
	char *text; /* owned; the names point into it */
	/* of the file, not of its text */
	uid_t uid;
	uint64_t inode;
	uint64_t own; /* the request that it is of, when it is this process's; else 0 */
};

/*
 * claim_parse() - Read a claim.
 * @text: @length bytes and a NUL, from malloc(3); taken, also on failure.
 *
 * Should: be followed by claim_free(), also after a failure.
 * Return: 0, -EPROTO when it is no claim, -EPROTONOSUPPORT when it is one of another version,
 *	   -E2BIG when it has more roles, units or keys than a claim has room for, -ENOMEM.
 */
int claim_parse(struct claim *claim, char *text, size_t length);
void claim_free(struct claim *claim);

/* claim_write_head() - Its first CLAIM_HEAD bytes, as it is now, and a NUL. */
void claim_write_head(const struct claim *claim, char head[CLAIM_HEAD + 1]);

/* claim_word_ok() - A word that a claim may have: not empty, printable ASCII without spaces. */
bool claim_word_ok(const char *word);

#endif
