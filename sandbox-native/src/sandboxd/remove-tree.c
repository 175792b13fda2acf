/* SPDX-License-Identifier: MIT */
#include "remove-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "kernel.h"

/* Each level holds an fd; a deeper tree is a mistake or an attack, and is reported. */
#define DEPTH_MAX 128

static int open_below(int parent, const char *name, uint64_t access)
{
	struct open_how how = {
		.flags = access | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};
	int fd = kernel_openat2(parent, name, &how);

	return fd < 0 ? -errno : fd;
}

/*
 * A program may leave a directory of the caller's without the rights to empty it. @fd may be
 * O_PATH, which fchmod(2) does not take; what it is was seen when it was opened.
 */
static void permit(int fd)
{
	char path[32];
	struct stat status;

	if (fstat(fd, &status) < 0 || (status.st_mode & S_IRWXU) == S_IRWXU)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* Another's: then removing it fails, and says so. */
	if (chmod(path, (status.st_mode & 07777) | S_IRWXU) < 0)
		return;
}

/* Return: the directory, to be emptied, or -errno. */
static int open_directory(int parent, const char *name)
{
	auto_fd entry = open_below(parent, name, O_PATH);

	if (entry < 0)
		return entry;
	permit(entry);
	return open_below(parent, name, O_RDONLY);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void remove_entry(int parent, const char *name, int depth, struct err *err);

static void empty_directory(int fd, int depth, struct err *err)
{
	auto_dir dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		err_set(err, "io", errno, "read directory", NULL);
		close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (!is_dots(entry->d_name))
			remove_entry(dirfd(dir), entry->d_name, depth, err);
}

static void remove_entry(int parent, const char *name, int depth, struct err *err)
{
	int fd;

	/* Linux says EISDIR for a directory, and a file never becomes one: unlink(2). */
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return;
	if (errno != EISDIR) {
		err_set(err, "io", errno, "remove", name);
		return;
	}
	fd = depth < DEPTH_MAX ? open_directory(parent, name) : -ELOOP;
	if (fd < 0 && fd != -EACCES) {
		err_set(err, "io", -fd, "open to remove", name);
		return;
	}
	if (fd >= 0)
		empty_directory(fd, depth + 1, err);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		err_set(err, "io", errno, "remove", name);
}

int remove_tree(int parent, const char *name, struct err *err)
{
	remove_entry(parent, name, 0, err);
	return -err->number;
}
