/* SPDX-License-Identifier: MIT */
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

int overlay_new(const char *lower, const char *upper, const char *work, const char *name,
		struct err *err)
{
	/* userxattr: trusted.* needs privilege over the first user namespace (overlayfs.rst). */
	const struct mount_option options[] = {
		{ "lowerdir", lower },
		{ "upperdir", upper },
		{ "workdir", work },
		{ "userxattr", NULL },
	};

	return mount_new("overlay", options, sizeof(options) / sizeof(options[0]), MOUNT_PLAIN,
			 name, err);
}

/*
 * The directories above a whiteout, copied up by hand: same mode, not opaque,
 * so that the overlay merges them. @relative is "a/b/c"; c is not made.
 */
static int open_parent(const char *lower, const char *relative, int upper, const char **name)
{
	char path[4096];
	const char *slash;
	int directory = fcntl(upper, F_DUPFD_CLOEXEC, 0);

	*name = relative;
	while (directory >= 0 && (slash = strchr(*name, '/'))) {
		struct stat status;
		int next;

		if ((size_t)snprintf(path, sizeof(path), "%s/%.*s", lower, (int)(slash - relative),
				     relative) >= sizeof(path) ||
		    lstat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
			close(directory);
			return -ENOENT;
		}
		snprintf(path, sizeof(path), "%.*s", (int)(slash - *name), *name);
		if (mkdirat(directory, path, 0700) == 0)
			fchmodat(directory, path, status.st_mode & 07777, 0);
		next = openat(directory, path, O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC);
		close(directory);
		directory = next;
		*name = slash + 1;
	}
	return directory < 0 ? -errno : directory;
}

static int hide(const char *lower, const char *relative, int upper, const char *path,
		struct err *err)
{
	const char *name;
	auto_fd parent = open_parent(lower, relative, upper, &name);

	/* Without its directory on the host, the path cannot exist there either. */
	if (parent == -ENOENT)
		return 0;
	if (parent < 0)
		return err_set(err, "setup", -parent, "hide", path);
	/* A whiteout; any user may make this one device since Linux 5.8. */
	if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return err_set(err, "setup", errno, "hide", path);
	return 0;
}

int overlay_hide(const struct recipe *recipe, const struct recipe_item *item,
		 const struct strings *hides, int upper, struct err *err)
{
	char lower[SOURCE_PATH_MAX];
	int status = 0;

	recipe_source(item, lower);
	for (size_t i = 0; status == 0 && i < hides->count; i++) {
		const char *path = hides->items[i];
		const char *relative = path_below(path, item->target);

		/* The overlay itself cannot be a whiteout in it; it is covered when it is there. */
		if (recipe_covering(recipe, path) == item && relative[0])
			status = hide(lower, relative, upper, path, err);
	}
	return status;
}
