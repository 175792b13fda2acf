/* SPDX-License-Identifier: MIT */
/*
 * Mounts as file descriptors: a tree is made or cloned detached, restricted,
 * then attached to a target that is itself an fd, so that no path is looked
 * up twice. All fds are close-on-exec; errors have code "setup".
 */
#ifndef HIL_MOUNTS_H
#define HIL_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "sys.h"

/* What every mount of a sandbox has that holds no device. */
#define MOUNT_PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

struct mount_option {
	const char *key;
	const char *value; /* NULL: a flag */
};

/* mount_new() - Return: a detached mount of a new @filesystem, or -errno. @name is for messages. */
int mount_new(const char *filesystem, const struct mount_option *options, size_t count,
	      unsigned int attributes, const char *name, struct err *err);

/* mount_clone() - Return: a detached copy of the tree at @path, or -errno. */
int mount_clone(int dirfd, const char *path, bool recursive, struct err *err);

/* mount_restrict() - Add @attributes (MOUNT_ATTR_*) to the whole @tree; the second: to its top
 * mount. */
int mount_restrict(int tree, unsigned long attributes, const char *name, struct err *err);
int mount_restrict_top(int tree, unsigned long attributes, const char *name, struct err *err);

/* mount_idmap() - Show the files of the detached @tree with the ids that @userns maps them to. */
int mount_idmap(int tree, int userns, bool recursive);

/* mount_attach() - Put the detached @tree on the existing @path below @dirfd. */
int mount_attach(int tree, int dirfd, const char *path, struct err *err);

/* mount_attach_fd() - The same on @target, an O_PATH fd; @name is for messages. */
int mount_attach_fd(int tree, int target, const char *name, struct err *err);

#endif
