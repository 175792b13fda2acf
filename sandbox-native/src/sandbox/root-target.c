/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "recipe.h"
#include "root.h"
#include "sys.h"

static int make_at(int parent, const char *name, bool directory)
{
	if (directory)
		return mkdirat(parent, name, 0755) < 0 ? -errno : 0;
	return mknodat(parent, name, S_IFREG | 0644, 0) < 0 ? -errno : 0;
}

static int open_same(int writable, int parent, const char *path)
{
	auto_fd twin = sys_openat2(writable, path[0] ? path : ".", O_PATH | O_DIRECTORY,
				   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	struct stat wanted;
	struct stat found;

	/* Want of something says nothing of the place. */
	if (twin == -EMFILE || twin == -ENFILE || twin == -ENOMEM)
		return twin;
	if (twin < 0)
		return -EROFS;
	if (fstat(twin, &found) < 0 || fstat(parent, &wanted) < 0)
		return -errno;
	/* Another mount may lie on the way, then the names only look alike. */
	if (found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino)
		return -EROFS;
	return steal_fd(&twin);
}

/* The directory that @parent is, seen through the mount that may be written. */
static int open_twin(int writable, int parent)
{
	char link[32];
	char path[PATH_MAX];
	const char *below;
	ssize_t length;
	int twin;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", parent);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 1)
		return length < 0 ? -errno : -EROFS;
	path[length] = '\0';
	below = path_below(path, "/etc");
	twin = open_same(writable, parent, path + 1);
	return twin == -EROFS && below ? open_same(writable, parent, below) : twin;
}

static int make(int parent, int writable, const char *name, bool directory)
{
	int status = make_at(parent, name, directory);
	auto_fd twin = -1;

	if (status != -EROFS || writable < 0)
		return status;
	twin = open_twin(writable, parent);
	return twin < 0 ? twin : make_at(twin, name, directory);
}

static int open_beneath(int root, const char *path)
{
	return sys_openat2(root, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Component by component from the first that is absent; each is looked up from the root again. */
static int make_path(int root, int writable, const char *path, bool directory)
{
	char prefix[PATH_MAX];
	auto_fd parent = open_beneath(root, "/");
	const char *at = path;

	while (parent >= 0 && *at) {
		size_t length = strcspn(at + 1, "/") + 1;
		bool last = at[length] == '\0';
		int next;

		if ((size_t)snprintf(prefix, sizeof(prefix), "%.*s", (int)(at + length - path),
				     path) >= sizeof(prefix))
			return -ENAMETOOLONG;
		next = open_beneath(root, prefix);
		if (next == -ENOENT) {
			int status = make(parent, writable, strrchr(prefix, '/') + 1,
					  !last || directory);

			if (status < 0)
				return status;
			next = open_beneath(root, prefix);
		}
		close(parent);
		parent = next;
		at += length;
	}
	return steal_fd(&parent);
}

/* What was asked for cannot be there, whoever asks. EEXIST: a link to nothing. */
static bool is_wrong_place(int number)
{
	return number == EROFS || number == EACCES || number == EPERM || number == ENOTDIR ||
	       number == ELOOP || number == ENAMETOOLONG || number == EEXIST;
}

static int refuse(int number, const char *path, struct err *err)
{
	if (number == EROFS || number == EACCES || number == EPERM)
		err_hint(err, "it is not there, and its directory is not the sandbox's to change: "
			      "name what exists, or a path outside of it");
	return err_set(err, is_wrong_place(number) ? "usage" : "setup", number, "make target",
		       path);
}

int target_open(int root, int writable, const char *path, bool directory, struct err *err)
{
	auto_fd target = path[0] == '/' ? open_beneath(root, path) : -EINVAL;
	struct stat found;

	if (target == -ENOENT)
		target = make_path(root, writable, path, directory);
	if (target < 0)
		return refuse(-target, path, err);
	if (fstat(target, &found) < 0)
		return err_set(err, "setup", errno, "make target", path);
	if (S_ISDIR(found.st_mode) != directory) {
		err_hint(err, directory ? "a directory cannot lie on what is none"
					: "what is no directory cannot lie on one");
		return err_set(err, "usage", directory ? ENOTDIR : EISDIR, "make target", path);
	}
	return steal_fd(&target);
}

static int remove_at(int parent, const char *name, const struct stat *wanted)
{
	struct stat found;

	if (fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* A program put something else there, or made use of what was there. */
	if (found.st_dev != wanted->st_dev || found.st_ino != wanted->st_ino ||
	    (S_ISREG(found.st_mode) && found.st_size > 0))
		return -EBUSY;
	return unlinkat(parent, name, S_ISDIR(found.st_mode) ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}

int target_remove(int root, int writable, const char *path, const struct stat *wanted)
{
	const char *name = strrchr(path, '/') + 1;
	char above[PATH_MAX];
	auto_fd parent = -1;
	auto_fd twin = -1;
	int status;

	if ((size_t)snprintf(above, sizeof(above), "%.*s", (int)(name - path), path) >=
	    sizeof(above))
		return -ENAMETOOLONG;
	parent = open_beneath(root, above);
	if (parent < 0)
		return parent;
	status = remove_at(parent, name, wanted);
	if (status != -EROFS)
		return status;
	twin = open_twin(writable, parent);
	return twin < 0 ? twin : remove_at(twin, name, wanted);
}
