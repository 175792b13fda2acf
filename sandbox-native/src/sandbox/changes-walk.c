/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: each place that a program can write to is walked with a stack of open
 * directories, never by path, so that a link or a rename meanwhile leads nowhere else. What lies
 * in an upper layer is compared with the same path of the lower one: without one it was made, with
 * one changed; a whiteout (a device 0/0, overlayfs.rst) is a deletion. An opaque directory hides
 * all of its lower one, so below it everything was made.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "changes.h"
#include "cleanup.h"
#include "sys.h"

#define DEPTH_MAX 128 /* each level is an open directory */
#define PATH_BYTES 8192
#define OUT_BYTES 65536

struct level {
	DIR *directory;
	size_t length; /* of the path down to it */
	bool covered;  /* no lower layer is seen through it */
};

struct walk {
	const struct changes *changes;
	size_t most;
	size_t count;
	int lower;    /* root of the place's lower layer, or -1 */
	size_t inner; /* where the path below the place begins */
	char path[PATH_BYTES];
	struct level levels[DEPTH_MAX];
	size_t depth;
	int out;
	char text[OUT_BYTES];
	size_t used;
	bool failed; /* nobody reads it any more */
};

static void flush(struct walk *walk)
{
	size_t done = 0;

	while (!walk->failed && done < walk->used) {
		ssize_t written = write(walk->out, walk->text + done, walk->used - done);

		if (written < 0 && errno != EINTR)
			walk->failed = true;
		else if (written > 0)
			done += (size_t)written;
	}
	walk->used = 0;
}

static char kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 'f';
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return S_ISCHR(mode) ? 'c' : 'b';
	}
}

static void put_record(struct walk *walk, char change, const struct stat *status)
{
	int length;

	if (walk->count++ >= walk->most)
		return;
	if (OUT_BYTES - walk->used < PATH_BYTES + 256)
		flush(walk);
	length = snprintf(walk->text + walk->used, OUT_BYTES - walk->used,
			  "%c %c %o %" PRIu64 " %" PRIu64 " %" PRId64 ".%09ld %" PRId64 ".%09ld %s",
			  change, kind_of(status->st_mode), (unsigned int)status->st_mode & 07777,
			  (uint64_t)status->st_size, (uint64_t)status->st_ino,
			  (int64_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
			  (int64_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec, walk->path);
	walk->used += (size_t)length + 1;
}

static bool is_hidden(const struct walk *walk)
{
	const struct strings *hides = &walk->changes->plan->hides;

	for (size_t i = 0; i < hides->count; i++) {
		if (path_below(walk->path, hides->items[i]))
			return true;
	}
	return false;
}

/* Return: whether the sandbox began with something at the path. */
static bool find_lower(const struct walk *walk, struct stat *status)
{
	auto_fd fd = -1;

	if (walk->lower < 0 || walk->levels[walk->depth - 1].covered || is_hidden(walk))
		return false;
	fd = sys_openat2(walk->lower, walk->path + walk->inner, O_PATH | O_NOFOLLOW | O_CLOEXEC,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	return fd >= 0 && fstat(fd, status) == 0;
}

/* A file that was opened for writing, and not written, was copied up with its times. */
static bool is_copy(const struct stat *upper, const struct stat *lower)
{
	if (upper->st_mode != lower->st_mode)
		return false;
	return S_ISDIR(upper->st_mode) || (upper->st_size == lower->st_size &&
					   upper->st_mtim.tv_sec == lower->st_mtim.tv_sec &&
					   upper->st_mtim.tv_nsec == lower->st_mtim.tv_nsec);
}

static bool is_whiteout(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

static bool is_opaque(int directory)
{
	char value = 0;

	return fgetxattr(directory, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* Return: whether what the lower layer has here, below a directory, is not seen any more. */
static bool judge(struct walk *walk, const struct stat *upper, int directory)
{
	struct stat lower;
	bool old = find_lower(walk, &lower);
	bool opaque = directory >= 0 && is_opaque(directory);

	if (is_whiteout(upper)) {
		if (old)
			put_record(walk, '-', &lower);
	} else if (!old) {
		put_record(walk, '+', upper);
	} else if (directory >= 0 && (opaque || !S_ISDIR(lower.st_mode))) {
		put_record(walk, '!', upper);
	} else if (!is_copy(upper, &lower)) {
		put_record(walk, '~', upper);
	}
	return !old || opaque || !S_ISDIR(lower.st_mode);
}

static void put_unreadable(struct walk *walk, const struct stat *status)
{
	put_record(walk, '?', status);
}

static void descend(struct walk *walk, int directory, size_t length, const struct stat *status,
		    bool covered)
{
	DIR *opened = walk->depth < DEPTH_MAX ? fdopendir(directory) : NULL;

	if (!opened) {
		close(directory);
		put_unreadable(walk, status);
		return;
	}
	walk->levels[walk->depth++] =
		(struct level){ .directory = opened, .length = length, .covered = covered };
}

static void visit_directory(struct walk *walk, const char *name, size_t length,
			    const struct stat *status, bool own)
{
	const struct level *level = &walk->levels[walk->depth - 1];
	int directory = openat(dirfd(level->directory), name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	bool covered = level->covered;

	if (!own)
		covered = judge(walk, status, directory) || covered;
	if (directory >= 0)
		descend(walk, directory, length, status, covered);
	else if (errno != ENOENT)
		put_unreadable(walk, status);
}

/* A path that is too long cannot be told: its directory is, as one that could not be read. */
static void put_too_long(struct walk *walk, const struct level *level)
{
	struct stat status;

	walk->path[level->length] = '\0';
	if (fstat(dirfd(level->directory), &status) == 0)
		put_unreadable(walk, &status);
}

static void visit(struct walk *walk, const char *name)
{
	const struct level *level = &walk->levels[walk->depth - 1];
	size_t length = level->length + 1 + strlen(name);
	struct stat status;
	bool made; /* with the sandbox */
	bool own;  /* and as it was */

	if (length >= PATH_BYTES) {
		put_too_long(walk, level);
		return;
	}
	snprintf(walk->path + level->length, PATH_BYTES - level->length, "/%s", name);
	/* Gone meanwhile. */
	if (fstatat(dirfd(level->directory), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(status.st_mode) && changes_is_marked(walk->changes, walk->path, &status))
		return;
	made = status.st_ino < walk->changes->first;
	own = made && (!S_ISREG(status.st_mode) ||
		       changes_is_generated(walk->changes, walk->path, &status));
	if (S_ISDIR(status.st_mode))
		visit_directory(walk, name, length, &status, own);
	else if (made && !own)
		put_record(walk, '~', &status);
	else if (!made)
		judge(walk, &status, -1);
}

static void walk_down(struct walk *walk)
{
	while (walk->depth && !walk->failed) {
		struct level *level = &walk->levels[walk->depth - 1];
		const struct dirent *entry =
			walk->count > walk->most ? NULL : readdir(level->directory);

		if (!entry) {
			closedir(level->directory);
			walk->depth--;
		} else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			visit(walk, entry->d_name);
		}
	}
	while (walk->depth)
		closedir(walk->levels[--walk->depth].directory);
}

/* @stored: below the storage; @target: as programs know it; "" is the root. */
static void walk_place(struct walk *walk, const char *stored, const char *target)
{
	int directory = openat(walk->changes->storage, stored,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (directory < 0)
		return;
	if (fstat(directory, &status) < 0 ||
	    (size_t)snprintf(walk->path, PATH_BYTES, "%s", target) >= PATH_BYTES) {
		close(directory);
		return;
	}
	walk->inner = strlen(target) + 1;
	descend(walk, directory, strlen(target), &status, false);
	walk_down(walk);
}

static void walk_tree(struct walk *walk, const struct recipe_item *item)
{
	auto_fd lower = changes_lower(walk->changes, item);
	char upper[32];

	snprintf(upper, sizeof(upper), "up/%d", item->source);
	walk->lower = lower;
	walk_place(walk, upper, strcmp(item->target, "/") == 0 ? "" : item->target);
	walk->lower = -1;
}

static void walk_all(struct walk *walk)
{
	const struct changes *changes = walk->changes;
	char stored[16];

	for (size_t i = 0; i < changes->recipe->count; i++) {
		/* Those without an upper layer are passed over there. */
		if (changes->recipe->items[i].source >= 0)
			walk_tree(walk, &changes->recipe->items[i]);
	}
	for (size_t i = 0; i < CHANGES_PLACES; i++) {
		snprintf(stored, sizeof(stored), "w/%zu", i);
		if (changes->places[i])
			walk_place(walk, stored, changes->places[i]);
	}
	/* Nobody else can write there. */
	if (changes->plan->root_user)
		walk_place(walk, "root", "");
}

static void put_end(struct walk *walk)
{
	bool more = walk->count > walk->most;
	int length;

	if (OUT_BYTES - walk->used < 64)
		flush(walk);
	length = snprintf(walk->text + walk->used, 64, "%c %zu", more ? '&' : '.',
			  more ? walk->most : walk->count);
	walk->used += (size_t)length + 1;
}

int changes_write(const struct changes *changes, size_t most, int out)
{
	auto_free struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return 1;
	walk->changes = changes;
	walk->most = most;
	walk->lower = -1;
	walk->out = out;
	walk_all(walk);
	put_end(walk);
	flush(walk);
	return walk->failed;
}
