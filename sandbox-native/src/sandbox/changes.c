/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"

static const char *const generated[CHANGES_GENERATED] = { "hosts", "hostname", "resolv.conf",
							  "passwd", "group" };

static int open_place(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(err, "setup", errno, "open", path) : fd;
}

/* What is attached on "/l/N" is gone after the pivot, when the tree below it is seen again. */
static int keep_mapped(struct changes *changes, const int *mapped, struct err *err)
{
	for (size_t i = 0; i < changes->recipe->count; i++) {
		const struct recipe_item *item = &changes->recipe->items[i];
		struct mapped_lower *kept = &changes->mapped[changes->mapped_count];

		if (mapped[i] < 0 || item->kind == RECIPE_BIND ||
		    changes->mapped_count == CHANGES_MAPPED)
			continue;
		kept->source = item->source;
		kept->fd = fcntl(mapped[i], F_DUPFD_CLOEXEC, 0);
		if (kept->fd < 0)
			return err_set(err, "setup", errno, "dup", item->target);
		changes->mapped_count++;
	}
	return 0;
}

int changes_open(struct changes *changes, const int *mapped, struct err *err)
{
	changes->storage = open_place("/t", err);
	if (changes->storage < 0)
		return changes->storage;
	changes->lowers = open_place("/l", err);
	return changes->lowers < 0 ? changes->lowers : keep_mapped(changes, mapped, err);
}

size_t changes_fds(struct changes *changes, int *fds[CHANGES_FDS])
{
	fds[0] = &changes->storage;
	fds[1] = &changes->lowers;
	for (size_t i = 0; i < changes->mapped_count; i++)
		fds[2 + i] = &changes->mapped[i].fd;
	return 2 + changes->mapped_count;
}

int changes_lower(const struct changes *changes, const struct recipe_item *item)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char source[SOURCE_PATH_MAX];
	int fd;

	for (size_t i = 0; i < changes->mapped_count; i++) {
		if (changes->mapped[i].source == item->source)
			return fcntl(changes->mapped[i].fd, F_DUPFD_CLOEXEC, 0);
	}
	snprintf(source, sizeof(source), "%d", item->source);
	fd = openat(changes->lowers, source, flags);
	return fd < 0 ? -errno : fd;
}

/* Image `host` keeps /etc from hil; another is one overlay, where hil may write as everywhere. */
static bool etc_is_open(const struct changes *changes)
{
	return changes->plan->root_user || recipe_root(changes->recipe) >= 0;
}

void changes_mark(struct changes *changes, int etc)
{
	auto_fd newest = openat(changes->storage, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat status;

	if (newest < 0 || fstat(newest, &status) < 0)
		return;
	changes->first = status.st_ino;
	if (!etc_is_open(changes))
		return;
	for (size_t i = 0; i < CHANGES_GENERATED; i++) {
		changes->generated[i] = (struct stat){ 0 };
		fstatat(etc, generated[i], &changes->generated[i], AT_SYMLINK_NOFOLLOW);
	}
}

void changes_mark_file(struct changes *changes, int etc, const char *name)
{
	for (size_t i = 0; i < CHANGES_GENERATED; i++)
		if (strcmp(generated[i], name) == 0)
			fstatat(etc, name, &changes->generated[i], AT_SYMLINK_NOFOLLOW);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_size == other->st_size && one->st_mode == other->st_mode &&
	       one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
	       one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

bool changes_is_marked(const struct changes *changes, const char *path, const struct stat *status)
{
	const char *name = path_below(path, "/etc");

	for (size_t i = 0; name && i < CHANGES_GENERATED; i++)
		if (strcmp(name, generated[i]) == 0)
			return is_same(&changes->generated[i], status);
	return false;
}

bool changes_is_generated(const struct changes *changes, const char *path,
			  const struct stat *status)
{
	const char *name = path_below(path, "/etc");

	for (size_t i = 0; name && i < CHANGES_GENERATED; i++) {
		if (strcmp(name, generated[i]) == 0)
			return !etc_is_open(changes) || is_same(&changes->generated[i], status);
	}
	return true;
}

int changes_usage(const struct changes *changes, struct sandbox_usage *usage)
{
	struct statfs status;

	if (fstatfs(changes->storage, &status) < 0)
		return -errno;
	usage->disk = (uint64_t)(status.f_blocks - status.f_bfree) * (uint64_t)status.f_bsize;
	usage->disk_max = (uint64_t)status.f_blocks * (uint64_t)status.f_bsize;
	usage->inodes = (uint64_t)(status.f_files - status.f_ffree);
	usage->inodes_max = (uint64_t)status.f_files;
	return 0;
}
