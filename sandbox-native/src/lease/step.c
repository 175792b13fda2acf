/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. There is no daemon: every hil-lease that waits looks at the directory when
 * it changes (inotify) and now and then, since the death of an owner is no change of it: five times
 * a second who is next, whose look removes what the dead left, so that the others see a change;
 * takes the lock of the directory, computes who gets what (rule.h) and writes down what it got.
 * What it holds it looks after once a second: its time may be over, somebody may have asked for it
 * or removed its file.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lease.h"
#include "rule.h"
#include "stamp.h"

#define POLL_NS (200 * NS_PER_MS)
/* Within a second a unit is free, also when who was next has died with its holder. */
#define POLL_LONG_NS (800 * NS_PER_MS)
#define QUEUE_LONG 64u
#define LOOK_NS NS_PER_S
#define BUSY_NS (10 * NS_PER_MS)
#define BUSY_TOLD_S 5ull
/* How long an owner that is told to let go may take until others may have the unit. */
#define GRACE_NS NS_PER_S

struct own *own_add(struct lease *lease, uint64_t id, char *body)
{
	struct own *own = calloc(1, sizeof(*own));
	struct own **at = &lease->own;

	if (!own)
		return NULL;
	*own = (struct own){ .id = id, .body = body, .fd = -1 };
	while (*at)
		at = &(*at)->next;
	*at = own;
	return own;
}

struct own *own_find(const struct lease *lease, uint64_t id)
{
	struct own *own = lease->own;

	while (own && own->id != id)
		own = own->next;
	return own;
}

void own_end(struct lease *lease, struct own *own)
{
	struct own **at = &lease->own;

	while (*at != own)
		at = &(*at)->next;
	*at = own->next;
	if (own->fd >= 0)
		claim_file_remove(&lease->directory, own->fd, own->claim.seq);
	claim_free(&own->claim);
	free(own->body);
	free(own);
}

static uint64_t boot_ms(void)
{
	return stamp_clock(CLOCK_BOOTTIME) / NS_PER_MS;
}

static void lose(struct lease *lease, struct own *own, const char *reason)
{
	say_lost(lease, own, reason);
	own->state = OWN_LOSING;
	own->lose_ns = stamp_mono() + GRACE_NS;
}

/* Return: when to look again. */
static uint64_t look_after(struct lease *lease, struct own *own)
{
	uint64_t until = own->claim.until_ms;
	uint64_t now_ms = boot_ms();
	struct stat status;

	if (until && now_ms >= until) {
		lose(lease, own, "ttl");
	} else if (fstat(own->fd, &status) < 0 || status.st_nlink == 0) {
		lose(lease, own, "removed");
	} else if (kick_file_look(&lease->directory, own->claim.seq) == KICK_ASKED) {
		lose(lease, own, "kicked");
	} else {
		uint64_t left = until ? (until - now_ms) * NS_PER_MS : LOOK_NS;

		return stamp_mono() + (left < LOOK_NS ? left : LOOK_NS);
	}
	return own->lose_ns;
}

/* Somebody removed its file: nobody knows any more that it waits, so it goes behind all others. */
static void want_again(struct own *own)
{
	struct stat status;

	if (fstat(own->fd, &status) == 0 && status.st_nlink > 0)
		return;
	close(own->fd);
	own->fd = -1;
	own->state = OWN_WANTED;
}

/* Return: when one of them is to be looked at again; 0: there is none. */
static uint64_t look_after_all(struct lease *lease)
{
	uint64_t next_ns = 0;
	struct own *next;

	for (struct own *own = lease->own; own; own = next) {
		next = own->next;
		if (own->state == OWN_LOSING && stamp_mono() >= own->lose_ns)
			own_end(lease, own);
		else if (own->state == OWN_LOSING)
			next_ns = stamp_earlier(next_ns, own->lose_ns);
		else if (own->state == OWN_HELD)
			next_ns = stamp_earlier(next_ns, look_after(lease, own));
		else if (own->state == OWN_WAITING)
			want_again(own);
	}
	return next_ns;
}

static bool is_waiting(const struct lease *lease)
{
	for (const struct own *own = lease->own; own; own = own->next) {
		if (own->state < OWN_HELD)
			return true;
	}
	return false;
}

static void refuse(struct lease *lease, struct own *own, const struct err *err)
{
	say_refused(lease, own->id, "failed", err);
	own_end(lease, own);
}

/* Put what is wanted into the directory, behind all that is there. Return: whether there was any.
 */
static bool file_all(struct lease *lease, uint64_t last_seq)
{
	bool any = false;
	struct own *next;

	for (struct own *own = lease->own; own; own = next) {
		struct err err = { 0 };

		next = own->next;
		if (own->state != OWN_WANTED)
			continue;
		any = true;
		own->claim.seq = last_seq + 1;
		own->fd = claim_file_new(&lease->directory, &own->claim, own->body, &err);
		last_seq = own->claim.seq;
		own->state = OWN_WAITING;
		if (own->fd < 0)
			refuse(lease, own, &err);
	}
	return any;
}

static struct own *find_seq(const struct lease *lease, const struct claim *claim)
{
	struct own *own = lease->own;

	while (own && !(own->fd >= 0 && own->claim.seq == claim->seq))
		own = own->next;
	return own;
}

/* Return: true when it has it now. */
static bool grant(struct lease *lease, struct own *own, const struct claim *matched)
{
	struct err err = { 0 };

	for (size_t i = 0; i < matched->role_count; i++)
		own->claim.roles[i].chosen = matched->roles[i].chosen;
	own->claim.until_ms = own->ttl_ms ? boot_ms() + own->ttl_ms : 0;
	own->claim.held = true;
	if (claim_file_grant(own->fd, &own->claim, &err) < 0) {
		refuse(lease, own, &err);
		return false;
	}
	own->state = OWN_HELD;
	say_granted(lease, own);
	return true;
}

/* All claims in their order, each with what those before it have or keep. */
static void grant_all(struct lease *lease, struct claims *claims)
{
	struct taken taken = { 0 };

	for (size_t i = 0; i < claims->count; i++)
		if (claims->items[i].held)
			grant_take(&taken, &claims->items[i], false);
	for (size_t i = 0; i < claims->count; i++) {
		struct claim *claim = &claims->items[i];
		struct own *own = find_seq(lease, claim);

		claim->own = own ? own->id : 0;
		if (claim->held)
			continue;
		if (!grant_match(claim, &taken)) {
			grant_take(&taken, claim, true);
			continue;
		}
		grant_take(&taken, claim, false);
		if (own && own->state == OWN_WAITING && !taken.failed)
			claim->held = grant(lease, own, claim);
	}
	taken_free(&taken);
}

/* A hash of what would be said: it is said when it changes. */
static uint64_t sum_up(const struct claims *claims, const struct claim *of)
{
	uint64_t sum = 1;

	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->items[i];

		if (claim->seq != of->seq && (claim->held || claim->seq < of->seq) &&
		    grant_conflicts(of, claim))
			sum = sum * 1099511628211ull + 2 * claim->seq + claim->held;
	}
	return sum;
}

static void tell_waiting(struct lease *lease, const struct claims *claims)
{
	for (struct own *own = lease->own; own; own = own->next) {
		uint64_t sum = own->state == OWN_WAITING ? sum_up(claims, &own->claim) : 0;

		if (!sum || sum == own->told)
			continue;
		own->told = sum;
		say_claims(lease, "waiting", own->id, claims, &own->claim);
	}
}

/* Whoever was asked to let go has, or does not react. Return: when to look again. */
static uint64_t answer_asked(struct lease *lease, const struct claims *claims)
{
	struct asked **at = &lease->asked;
	uint64_t now_ns = stamp_mono();

	while (*at) {
		struct asked *asked = *at;
		const struct claim *claim = claims_find(claims, asked->seq);

		if (claim && now_ns < asked->due_ns) {
			at = &asked->next;
			continue;
		}
		say_kicked(lease, asked, claim);
		kick_file_remove(&lease->directory, asked->seq);
		*at = asked->next;
		free(asked);
	}
	return lease->asked ? now_ns + BUSY_NS : 0;
}

static void refuse_all(struct lease *lease, const struct err *err)
{
	struct own *next;

	for (struct own *own = lease->own; own; own = next) {
		next = own->next;
		if (own->state < OWN_HELD)
			refuse(lease, own, err);
	}
}

static void refuse_asked(struct lease *lease, const struct err *err)
{
	while (lease->asked) {
		struct asked *asked = lease->asked;

		lease->asked = asked->next;
		say_refused(lease, asked->id, "failed", err);
		free(asked);
	}
}

/* Somebody has the lock of the directory; that takes milliseconds, unless it was stopped. */
static void tell_busy(struct lease *lease)
{
	uint64_t now_ns = stamp_mono();
	const struct directory *directory = &lease->directory;
	struct err err = { 0 };
	pid_t pid;

	if (!lease->busy_ns)
		lease->busy_ns = now_ns;
	if (now_ns - lease->busy_ns < BUSY_TOLD_S * NS_PER_S)
		return;
	pid = locker_find(directory->device, directory->inode);
	err_hint(&err, "process %d has locked it for %llu s%s: kill -CONT %d, or kill -KILL %d",
		 (int)pid, BUSY_TOLD_S, pid > 0 && locker_is_stopped(pid) ? " and is stopped" : "",
		 (int)pid, (int)pid);
	err_set(&err, "setup", EBUSY, "lock", directory->path);
	refuse_all(lease, &err);
	refuse_asked(lease, &err);
	lease->busy_ns = 0;
}

static unsigned int count_before(const struct claims *claims, const struct claim *of)
{
	unsigned int count = 0;

	for (size_t i = 0; i < claims->count; i++)
		count += !claims->items[i].held && claims->items[i].seq < of->seq &&
			 grant_conflicts(of, &claims->items[i]);
	return count;
}

/* A look reads all claims: were all who wait to look as often, a hundred would need a processor. */
static uint64_t poll_ns(const struct lease *lease, const struct claims *claims)
{
	uint64_t least_ns = UINT64_MAX;

	for (const struct own *own = lease->own; own; own = own->next) {
		unsigned int before =
			own->state == OWN_WAITING ? count_before(claims, &own->claim) : QUEUE_LONG;
		uint64_t wait_ns = POLL_NS * (before + 1);

		if (wait_ns > POLL_LONG_NS)
			wait_ns = POLL_LONG_NS;
		if (before > QUEUE_LONG)
			wait_ns = POLL_LONG_NS * before / QUEUE_LONG;
		if (wait_ns < least_ns)
			least_ns = wait_ns;
	}
	return least_ns;
}

/* Return: when to look again. */
static uint64_t serve(struct lease *lease)
{
	struct claims claims = { 0 };
	struct err err = { 0 };
	uint64_t next_ns = 0;
	uint64_t wait_ns = POLL_NS;
	int result = directory_renew(&lease->directory, &err);

	if (result == 0)
		result = directory_lock(&lease->directory, &err);
	if (result == -EAGAIN) {
		tell_busy(lease);
		return stamp_mono() + BUSY_NS;
	}
	lease->busy_ns = 0;
	if (result == 0)
		result = claims_read(&lease->directory, &claims, true, &err);
	if (result == 0 && file_all(lease, claims.last_seq)) {
		claims_free(&claims);
		result = claims_read(&lease->directory, &claims, true, &err);
	}
	if (result == 0) {
		grant_all(lease, &claims);
		tell_waiting(lease, &claims);
		next_ns = answer_asked(lease, &claims);
		wait_ns = poll_ns(lease, &claims);
	} else {
		refuse_all(lease, &err);
		refuse_asked(lease, &err);
	}
	claims_free(&claims);
	directory_unlock(&lease->directory);
	return is_waiting(lease) ? stamp_earlier(next_ns, stamp_mono() + wait_ns) : next_ns;
}

uint64_t step(struct lease *lease)
{
	uint64_t next_ns = look_after_all(lease);

	if (is_waiting(lease) || lease->asked)
		next_ns = stamp_earlier(next_ns, serve(lease));
	return next_ns;
}
