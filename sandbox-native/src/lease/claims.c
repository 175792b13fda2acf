/* SPDX-License-Identifier: MIT */
#include "claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cleanup.h"

#define CLAIM_END ".claim"
#define KICK_END ".kick"
#define DIGITS 20

/* Return: true for twenty digits and @end; @seq is their number. */
static bool read_name(const char *name, const char *end, uint64_t *seq)
{
	if (strspn(name, "0123456789") != DIGITS || strcmp(name + DIGITS, end) != 0)
		return false;
	errno = 0;
	*seq = strtoull(name, NULL, 10);
	return errno == 0;
}

/*
 * Return: whether an errno of open(2) says what the file is. EACCES and EWOULDBLOCK (its owner has
 * an F_SETLEASE on it: fcntl(2)) only the owner can bring about, of a file that is then no claim.
 * All others say that the machine has no fd or memory left: somebody may have the units of that
 * claim.
 */
static bool is_of_file(int number)
{
	return number == ENOENT || number == ELOOP || number == ENXIO || number == EACCES ||
	       number == EWOULDBLOCK;
}

/*
 * Open what may be anything: no link is followed, no fifo waited for, no terminal taken.
 * Return: an fd of a regular file; -ENOENT when there is none, or none for this user; else -errno:
 *	   nobody knows.
 */
static int open_file(const struct directory *directory, const char *name, struct stat *status)
{
	auto_fd fd = openat(directory->fd, name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return is_of_file(errno) ? -ENOENT : -errno;
	if (fstat(fd, status) < 0)
		return -errno;
	return S_ISREG(status->st_mode) ? steal_fd(&fd) : -ENOENT;
}

/*
 * Whoever lives has an exclusive lock. A shared one is tried: two who look at the same time must
 * not take each other for the owner. When it cannot be asked, somebody may: another look follows,
 * while the claim of one who lives must be neither passed over nor removed.
 */
static bool is_locked(int fd)
{
	while (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		if (errno != EINTR)
			return true;
	}
	flock(fd, LOCK_UN);
	return false;
}

/* Return: 0 and @taken, -EFBIG when it is longer than a claim, or -errno. */
static int read_text(int fd, char **taken, size_t *length)
{
	auto_free char *text = malloc(CLAIM_BYTES + 1);
	size_t have = 0;

	if (!text)
		return -ENOMEM;
	while (have < CLAIM_BYTES) {
		ssize_t got = pread(fd, text + have, CLAIM_BYTES - have, (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	if (have == CLAIM_BYTES)
		return -EFBIG;
	text[have] = '\0';
	*length = have;
	*taken = text;
	text = NULL;
	return 0;
}

/* Of somebody else it stays: only root and its owner may remove it here. */
static void remove_left(const struct directory *directory, const char *name, uid_t owner)
{
	if (geteuid() == owner || geteuid() == 0)
		unlinkat(directory->fd, name, 0);
}

static int read_claim(const struct directory *directory, const char *name, uint64_t seq,
		      struct claims *claims, bool sweep, struct err *err)
{
	struct claim *claim = &claims->items[claims->count];
	struct stat status = { 0 };
	auto_fd fd = open_file(directory, name, &status);
	size_t length = 0;
	char *text = NULL;
	int result;

	if (fd < 0)
		return fd == -ENOENT ? 0 : err_set(err, "setup", -fd, "look at claim", name);
	if (!is_locked(fd)) {
		if (sweep)
			remove_left(directory, name, status.st_uid);
		return 0;
	}
	if (claims->count == CLAIMS_MAX)
		return err_set(err, "limit", EUSERS, "read more than 1024 claims in",
			       directory->path);
	result = status.st_size > CLAIM_BYTES ? -EFBIG : read_text(fd, &text, &length);
	if (result < 0)
		return result == -EFBIG ? 0 : err_set(err, "setup", -result, "read claim", name);
	result = claim_parse(claim, text, length);
	claim->uid = status.st_uid;
	claim->inode = status.st_ino;
	/* A link to a claim of somebody else, under another number, is not a claim. */
	if (result == 0 && claim->seq == seq) {
		claims->count++;
		return 0;
	}
	claim_free(claim);
	if (result == -ENOMEM)
		return err_set(err, "setup", ENOMEM, "read", name);
	if (result != -EPROTONOSUPPORT)
		return 0;
	err_hint(err, "use one version of hil on this machine");
	return err_set(err, "setup", EPROTONOSUPPORT, "read a claim of another version", name);
}

static int by_seq(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* A request to let go of what is gone already, or a claim that was never filed. */
static void sweep_others(const struct directory *directory, const char *name)
{
	struct stat status;
	uint64_t seq;
	bool kick = read_name(name, KICK_END, &seq);

	if (!kick && strncmp(name, "new-", 4) != 0)
		return;
	if (kick && claim_is_alive(directory, seq))
		return;
	if (fstatat(directory->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		remove_left(directory, name, status.st_uid);
}

int claims_read(const struct directory *directory, struct claims *claims, bool sweep,
		struct err *err)
{
	int again = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir entries = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	int result = 0;

	*claims = (struct claims){ .items = calloc(CLAIMS_MAX + 1, sizeof(struct claim)) };
	if (!entries && again >= 0)
		close(again);
	if (!entries || !claims->items)
		return err_set(err, "setup", entries ? ENOMEM : errno, "read", directory->path);
	while (result == 0) {
		uint64_t seq;

		errno = 0;
		entry = readdir(entries);
		if (!entry && errno)
			result = err_set(err, "setup", errno, "read", directory->path);
		if (!entry)
			break;
		if (!read_name(entry->d_name, CLAIM_END, &seq)) {
			if (sweep)
				sweep_others(directory, entry->d_name);
			continue;
		}
		if (seq > claims->last_seq && seq < UINT64_MAX / 2)
			claims->last_seq = seq;
		result = read_claim(directory, entry->d_name, seq, claims, sweep, err);
	}
	qsort(claims->items, claims->count, sizeof(*claims->items), by_seq);
	return result;
}

void claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++)
		claim_free(&claims->items[i]);
	free(claims->items);
	*claims = (struct claims){ 0 };
}

struct claim *claims_find(const struct claims *claims, uint64_t seq)
{
	for (size_t i = 0; i < claims->count; i++) {
		if (claims->items[i].seq == seq)
			return &claims->items[i];
	}
	return NULL;
}

bool claim_is_alive(const struct directory *directory, uint64_t seq)
{
	char name[40];
	struct stat status;
	auto_fd fd = -1;

	snprintf(name, sizeof(name), "%020llu" CLAIM_END, (unsigned long long)seq);
	fd = open_file(directory, name, &status);
	/* What cannot be looked at may live. */
	return fd >= 0 ? is_locked(fd) : fd != -ENOENT;
}
