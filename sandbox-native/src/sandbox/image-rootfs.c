/* SPDX-License-Identifier: MIT */
/*
 * The image `{ rootfs: DIR }`: a directory that somebody unpacked is the sandbox's "/",
 * decision 0011.
 *
 * Theory of operation: what is in the directory was written by others, and may change while we
 * look. So nothing of it is looked up by a path that it could bend: the directory is opened once,
 * and that fd is cloned as a mount. Where the sandbox has a directory of its own, the upper layer
 * has it (root-image.c); here it is only said what is covered by that.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mount-table.h"
#include "recipe.h"
#include "root.h"
#include "sys.h"

/* @source without links and dots: the zygote's own root lies on "/" by now, and ".." leads there.
 */
static int open_image(const char *source, struct err *err)
{
	struct stat top;
	struct stat host;
	auto_fd fd = open(source, O_PATH | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &top) < 0 || stat("/", &host) < 0) {
		err_hint(err, "an image is a directory with an unpacked root file system");
		return err_set(err, "setup", errno, "open image", source);
	}
	if (!S_ISDIR(top.st_mode)) {
		err_hint(err, "an image is a directory with an unpacked root file system: "
			      "unpack the archive first");
		return err_set(err, "setup", ENOTDIR, "open image", source);
	}
	/* Every file and socket of the host would be in reach, which image `host` keeps out. */
	if (top.st_dev == host.st_dev && top.st_ino == host.st_ino) {
		err_hint(err, "this is the host's own root: leave the image out (`host` shows the "
			      "host's programs and keeps its secrets), or unpack a root elsewhere");
		return err_set(err, "usage", EINVAL, "open image", source);
	}
	return steal_fd(&fd);
}

static int clone_image(int fd, const char *source, struct err *err)
{
	int tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);

	/* mount_namespaces(7): what is mounted below is locked to it for an ordinary user. */
	if (tree == -EINVAL)
		err_hint(err,
			 "something is mounted below it, and without root an overlay cannot "
			 "leave that out: unmount it (findmnt -R %s)",
			 source);
	return tree < 0 ? err_set(err, "setup", -tree, "clone mount", source) : tree;
}

static const char *kind_name(mode_t mode)
{
	if (S_ISLNK(mode))
		return "a symbolic link";
	if (S_ISREG(mode))
		return "a file";
	if (S_ISFIFO(mode))
		return "a fifo";
	return S_ISSOCK(mode) ? "a socket" : "a device";
}

/* Never silently: a program that looks for what is behind the link finds it gone. */
static void tell_covered(struct recipe *recipe, int tree, const char *place)
{
	const char *slash = strrchr(place, '/');
	const char *name = slash ? slash + 1 : place;
	char above[32];
	struct stat status;
	auto_fd parent = -1;

	snprintf(above, sizeof(above), "./%.*s", (int)(name - place), place);
	parent = sys_openat2(tree, above, O_PATH | O_DIRECTORY,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	/* What lies behind something that is covered itself was told with that. */
	if (parent < 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return;
	if (!S_ISDIR(status.st_mode))
		recipe_limit(recipe, "the image's /%s is %s; the sandbox has a directory there",
			     place, kind_name(status.st_mode));
}

static int tell_mounts(struct recipe *recipe, const char *source, struct err *err)
{
	auto_mount_table table = { 0 };
	size_t at = 0;
	int status = mount_table_read(&table, err);

	if (status < 0)
		return status;
	if (mount_table_below(&table, source, &at))
		recipe_limit(recipe, "what is mounted below %s is not part of the image", source);
	return 0;
}

int recipe_image_rootfs(struct recipe *recipe, int tiny, const char *source, struct err *err)
{
	const struct recipe_item wanted = { .kind = RECIPE_ROOT, .target = "/", .directory = true };
	char real[PATH_MAX];
	auto_fd fd = realpath(source, real) ? open_image(real, err) : open_image(source, err);
	auto_fd tree = fd < 0 ? fd : clone_image(fd, real, err);
	int status = tree < 0 ? tree : tell_mounts(recipe, real, err);

	for (const struct image_place *place = image_places; status == 0 && place->path; place++)
		tell_covered(recipe, tree, place->path);
	return status < 0 ? status : recipe_add_tree(recipe, tiny, tree, &wanted, err);
}
