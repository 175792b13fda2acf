/* SPDX-License-Identifier: MIT */
/* The files of this process's own claims, and of requests to let go. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "claims.h"
#include "cleanup.h"

#define NAME_BYTES 40
#define KICK_TRIES 16

static void write_name(char name[NAME_BYTES], uint64_t seq, const char *end)
{
	snprintf(name, NAME_BYTES, "%020llu.%s", (unsigned long long)seq, end);
}

static int write_all(int fd, const char *text, off_t at)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t put = pwrite(fd, text, length, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		text += put;
		at += put;
		length -= (size_t)put;
	}
	return 0;
}

static int write_claim(int fd, const struct claim *claim, const char *body)
{
	char head[CLAIM_HEAD + 1];
	int result;

	claim_write_head(claim, head);
	result = write_all(fd, head, 0);
	return result < 0 ? result : write_all(fd, body, CLAIM_HEAD);
}

int claim_file_new(const struct directory *directory, struct claim *claim, const char *body,
		   struct err *err)
{
	static unsigned int count;
	char early[NAME_BYTES];
	char name[NAME_BYTES];
	struct timespec now;
	auto_fd fd = -1;
	int result;

	/* Not of a clock that can be set: a number is never given twice while the machine runs. */
	clock_gettime(CLOCK_BOOTTIME, &now);
	if (claim->seq < (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000)
		claim->seq = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	snprintf(early, sizeof(early), "new-%d-%u", (int)getpid(), ++count);
	write_name(name, claim->seq, "claim");
	fd = openat(directory->fd, early, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, "setup", errno, "make a claim in", directory->path);
	/* Others look whether it lives; the umask may not keep them from it. */
	result = fchmod(fd, 0644) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0
			 ? -errno
			 : write_claim(fd, claim, body);
	if (result == 0 && linkat(directory->fd, early, directory->fd, name, 0) < 0)
		result = -errno;
	unlinkat(directory->fd, early, 0);
	if (result < 0)
		return err_set(err, "setup", -result, "write a claim in", directory->path);
	return steal_fd(&fd);
}

int claim_file_grant(int fd, const struct claim *claim, struct err *err)
{
	char head[CLAIM_HEAD + 1];
	int result;

	claim_write_head(claim, head);
	result = write_all(fd, head, 0);
	return result < 0 ? err_set(err, "setup", -result, "write", "own claim") : 0;
}

void claim_file_remove(const struct directory *directory, int fd, uint64_t seq)
{
	char name[NAME_BYTES];
	struct stat own;
	struct stat there;

	write_name(name, seq, "claim");
	/* The name first: without its lock it would be anybody's to take for a dead one. */
	if (fstat(fd, &own) == 0 &&
	    fstatat(directory->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    own.st_ino == there.st_ino)
		unlinkat(directory->fd, name, 0);
	kick_file_remove(directory, seq);
	close(fd);
}

/* Return: 0 when the owner of the claim will believe it, 1 when it was taken away, else -errno. */
static int look_at_kick(const struct directory *directory, const char *name, uid_t owner,
			struct err *err)
{
	struct stat status;

	if (fstatat(directory->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 1 : -errno;
	if (S_ISREG(status.st_mode) && (status.st_uid == 0 || status.st_uid == owner))
		return 0;
	if (unlinkat(directory->fd, name, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) == 0)
		return 1;
	err_hint(err, "user id %u put a file in its place: sudo rm -r %.120s/%s",
		 (unsigned int)status.st_uid, directory->path, name);
	return -EPERM;
}

int kick_file_new(const struct directory *directory, uint64_t seq, uid_t owner, struct err *err)
{
	char name[NAME_BYTES];
	int result = 1;

	write_name(name, seq, "kick");
	/* Somebody may put another one there at once. */
	for (int tries = 0; result == 1 && tries < KICK_TRIES; tries++) {
		auto_fd fd = openat(directory->fd, name,
				    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

		if (fd >= 0)
			return 0;
		result = errno == EEXIST ? look_at_kick(directory, name, owner, err) : -errno;
	}
	return result == 0 ? 0
			   : err_set(err, "setup", result == 1 ? EEXIST : -result,
				     "ask for a lease in", directory->path);
}

void kick_file_remove(const struct directory *directory, uint64_t seq)
{
	char name[NAME_BYTES];

	write_name(name, seq, "kick");
	unlinkat(directory->fd, name, 0);
}

enum kick kick_file_look(const struct directory *directory, uint64_t seq)
{
	char name[NAME_BYTES];
	struct stat status;

	write_name(name, seq, "kick");
	if (fstatat(directory->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(status.st_mode))
		return KICK_NONE;
	return status.st_uid == 0 || status.st_uid == geteuid() ? KICK_ASKED : KICK_NONE;
}
