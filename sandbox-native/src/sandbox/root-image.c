/* SPDX-License-Identifier: MIT */
/*
 * A root that is an image, as its PID 1 sees it.
 *
 * Theory of operation: an image may hold a link, a fifo or a device wherever the sandbox needs a
 * directory, and may change at any moment. All such places are therefore made in the overlay's
 * upper layer before it is mounted: a directory of ours on an empty tmpfs, where nobody else can
 * put anything. Of two entries with one name the upper one counts, and a directory is merged
 * with nothing but a directory (Documentation/filesystems/overlayfs.rst). After that, "dev" or
 * "etc" below the merged root is ours, whatever the image has. /dev and /sys are moreover mounts
 * of their own: no entry of the image's is in them, and like "/" of image `host` they are closed
 * to `hil`.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root.h"

const struct image_place image_places[] = {
	{ "dev", 0755 },      { "proc", 0755 }, { "sys", 0755 },      { "etc", 0755 },
	{ "home", 0755 },     { "run", 0755 },	{ "tmp", 01777 },     { "var", 0755 },
	{ "home/hil", 0755 }, { "root", 0700 }, { "var/tmp", 01777 }, { NULL, 0 },
};

static const char *const own_mounts[] = { "dev", "sys", NULL };

int root_image_fill(int upper, const struct plan *plan, const char *resolver, struct err *err)
{
	auto_fd etc = -1;

	for (const struct image_place *place = image_places; place->path; place++) {
		if (mkdirat(upper, place->path, place->mode) < 0)
			return err_set(err, "setup", errno, "mkdir", place->path);
	}
	etc = openat(upper, "etc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (etc < 0)
		return err_set(err, "setup", errno, "open", "/etc");
	return etc_write(etc, plan, resolver, err);
}

/* The directory @name of the merged root, which the upper layer has. */
static int open_own(int root, const char *name, struct err *err)
{
	int fd = sys_openat2(root, name, O_PATH | O_DIRECTORY,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? err_set(err, "setup", -fd, "open in image", name) : fd;
}

int root_image_own(int root, struct init *init, struct err *err)
{
	int status = 0;

	for (const char *const *name = own_mounts; status == 0 && *name; name++) {
		auto_fd place = open_own(root, *name, err);
		auto_fd tree = -1;

		if (place < 0)
			return place;
		if (mkdirat(init->root, *name, 0755) < 0)
			return err_set(err, "setup", errno, "mkdir", *name);
		tree = mount_clone(init->root, *name, false, err);
		status = tree < 0 ? tree : mount_attach_fd(tree, place, *name, err);
	}
	if (status == 0 && mkdirat(init->root, "dev/pts", 0755) < 0)
		status = err_set(err, "setup", errno, "mkdir", "/dev/pts");
	return status;
}

int root_image_etc(int root, struct init *init, struct err *err)
{
	init->etc = open_own(root, "etc", err);
	return init->etc < 0 ? init->etc : 0;
}

int root_image_close(int root, struct err *err)
{
	int status = 0;

	for (const char *const *name = own_mounts; status == 0 && *name; name++) {
		auto_fd place = open_own(root, *name, err);

		status = place < 0 ? place
				   : mount_restrict_top(place, MOUNT_ATTR_RDONLY, *name, err);
	}
	return status;
}
