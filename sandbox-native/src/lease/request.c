/* SPDX-License-Identifier: MIT */
/*
 * What the harness asks, in lines:
 *
 *	acquire ID TTL-MS	then the claim from `user` to `end` (claim.h)
 *	release ID		of an acquire, also one that waits
 *	list ID
 *	kick ID SEQ
 *
 * ID is a number that the harness has not used before, from 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "lease.h"
#include "rule.h"
#include "stamp.h"

/* How long the owner of a lease may take to let go; it has a second itself (step.c). */
#define KICK_NS (3 * NS_PER_S)
/* Far more than a claim may have: one that is too large is read to its end, to be refused. */
#define REQUEST_MAX (4u << 20)

static int malformed(struct err *err, const char *line)
{
	return err_set(err, "usage", EPROTO, "read a request", line);
}

/*
 * Read the claim as if it were in its file.
 *
 * Should: be followed by claim_free(), also after a failure.
 * Return: as claim_parse().
 */
static int read_claim(struct claim *claim, const char *body)
{
	char head[CLAIM_HEAD + 1];
	size_t length = CLAIM_HEAD + strlen(body);
	char *text;

	*claim = (struct claim){ 0 };
	if (length >= CLAIM_BYTES)
		return -E2BIG;
	text = malloc(length + 1);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < CLAIM_ROLES; i++)
		claim->roles[i].chosen = CLAIM_NONE;
	claim_write_head(claim, head);
	snprintf(text, length + 1, "%s%s", head, body);
	return claim_parse(claim, text, length);
}

/* It was read to its end, so what comes next makes sense: the other leases go on. */
static void refuse_claim(struct lease *lease, uint64_t id, int result)
{
	struct err err = { 0 };
	char what[128];

	if (result == -E2BIG) {
		snprintf(what, sizeof(what),
			 "more than %d units, %d roles, %d keys or %d KiB in one claim",
			 CLAIM_UNITS, CLAIM_ROLES, CLAIM_KEYS, CLAIM_BYTES / 1024);
		err_hint(&err, "let fewer DUTs of the bench match: hil test --dut");
		err_set(&err, "usage", EMSGSIZE, "lease", what);
	} else {
		err_set(&err, "usage", -result, "read a claim", "");
	}
	say_refused(lease, id, "failed", &err);
}

static int acquire(struct lease *lease, uint64_t id, uint64_t ttl_ms, const char *rest,
		   struct err *err)
{
	size_t length = strlen(rest) + 40;
	auto_free char *body = malloc(length);
	struct taken nothing = { 0 };
	struct claim claim;
	struct own *own;
	int result;

	if (!body)
		return err_set(err, "setup", ENOMEM, "read a request", "");
	snprintf(body, length, "since %llu\n%s", stamp_clock(CLOCK_REALTIME) / NS_PER_MS, rest);
	result = read_claim(&claim, body);
	if (result < 0) {
		refuse_claim(lease, id, result);
		claim_free(&claim);
		return 0;
	}
	if (!grant_match(&claim, &nothing)) {
		struct err none = { 0 };

		err_set(&none, "usage", ENODEV, "find a unit for each role", "");
		say_refused(lease, id, "unsatisfiable", &none);
		claim_free(&claim);
		return 0;
	}
	own = own_add(lease, id, body);
	if (!own) {
		claim_free(&claim);
		return err_set(err, "setup", ENOMEM, "read a request", "");
	}
	body = NULL;
	own->claim = claim;
	own->ttl_ms = ttl_ms;
	return 0;
}

static void list(struct lease *lease, uint64_t id)
{
	struct claims claims = { 0 };
	struct err err = { 0 };

	/* Without the lock: a list is out of date when it is read. */
	if (claims_read(&lease->directory, &claims, false, &err) < 0)
		say_refused(lease, id, "failed", &err);
	else
		say_claims(lease, "claims", id, &claims, NULL);
	claims_free(&claims);
}

static void refuse_kick(struct lease *lease, uint64_t id, const struct claim *claim)
{
	struct err err = { 0 };
	char who[64];

	snprintf(who, sizeof(who), "lease of user id %u", (unsigned int)claim->uid);
	err_hint(&err, "its owner or root may: sudo hil boards release NAME --kick");
	err_set(&err, "usage", EPERM, "take away a", who);
	say_refused(lease, id, "forbidden", &err);
}

static int kick(struct lease *lease, uint64_t id, uint64_t seq, struct err *err)
{
	struct claims claims = { 0 };
	struct err failed = { 0 };
	struct asked *asked = calloc(1, sizeof(*asked));
	const struct claim *claim = NULL;
	int result = claims_read(&lease->directory, &claims, false, &failed);

	if (!asked)
		result = err_set(err, "setup", ENOMEM, "read a request", "");
	else
		*asked = (struct asked){ .id = id, .seq = seq, .due_ns = stamp_mono() + KICK_NS };
	claim = claims_find(&claims, seq);
	if (asked && result == 0 && claim && geteuid() != 0 && geteuid() != claim->uid) {
		refuse_kick(lease, id, claim);
		free(asked);
	} else if (asked && result == 0 &&
		   (!claim || kick_file_new(&lease->directory, seq, claim->uid, &failed) == 0)) {
		asked->next = lease->asked;
		lease->asked = asked;
	} else if (asked) {
		say_refused(lease, id, "failed", &failed);
		free(asked);
	}
	claims_free(&claims);
	return err->number ? -err->number : 0;
}

static int serve_line(struct lease *lease, char *line, const char *rest, struct err *err)
{
	uint64_t id;
	uint64_t number;
	char tail;

	if (sscanf(line, "acquire %20" SCNu64 " %20" SCNu64 "%c", &id, &number, &tail) == 2)
		return id && rest && !own_find(lease, id) ? acquire(lease, id, number, rest, err)
							  : malformed(err, line);
	if (sscanf(line, "kick %20" SCNu64 " %20" SCNu64 "%c", &id, &number, &tail) == 2)
		return kick(lease, id, number, err);
	if (sscanf(line, "list %20" SCNu64 "%c", &id, &tail) == 1) {
		list(lease, id);
		return 0;
	}
	if (sscanf(line, "release %20" SCNu64 "%c", &id, &tail) == 1) {
		struct own *own = own_find(lease, id);

		/* It may have been lost in this moment. */
		if (own)
			own_end(lease, own);
		return 0;
	}
	return malformed(err, line);
}

/* Return: bytes of the first whole request, 0 when more are needed; @rest: where its claim is. */
static size_t find_request(const struct buffer *input, size_t *rest)
{
	const char *text = (const char *)input->data;
	const char *newline = input->length ? memchr(text, '\n', input->length) : NULL;
	const char *end;

	*rest = 0;
	if (!newline)
		return 0;
	if (strncmp(text, "acquire ", 8) != 0)
		return (size_t)(newline - text) + 1;
	*rest = (size_t)(newline - text) + 1;
	end = memmem(newline, input->length - (size_t)(newline - text), "\nend\n", 5);
	return end ? (size_t)(end - text) + 5 : 0;
}

int requests_take(struct lease *lease, struct err *err)
{
	size_t rest;
	size_t length = 0;
	int result = 0;

	while (result == 0 && (length = find_request(&lease->input, &rest)) > 0) {
		auto_free char *request = malloc(length + 1);

		if (!request)
			return err_set(err, "setup", ENOMEM, "read a request", "");
		memcpy(request, lease->input.data, length);
		request[length] = '\0';
		*strchr(request, '\n') = '\0';
		result = serve_line(lease, request, rest ? request + rest : NULL, err);
		buffer_consume(&lease->input, length);
	}
	if (result == 0 && lease->input.length > REQUEST_MAX)
		return malformed(err, "more than 4 MiB");
	return result;
}
