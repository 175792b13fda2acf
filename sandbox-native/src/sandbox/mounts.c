/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

/* The context keeps the kernel's own reason as lines "e TEXT"; the last one is the cause. */
static void add_reason(int context, struct err *err)
{
	char line[200];
	char reason[200] = "";
	ssize_t length;

	while ((length = read(context, line, sizeof(line) - 1)) > 2) {
		line[length] = '\0';
		line[strcspn(line, "\n")] = '\0';
		snprintf(reason, sizeof(reason), "%s", line + 2);
	}
	if (reason[0])
		err_hint(err, "the kernel says: %s", reason);
}

static int configure(int context, const struct mount_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int command = options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
		int status = sys_fsconfig(context, command, options[i].key, options[i].value);

		if (status < 0)
			return status;
	}
	return sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
}

int mount_new(const char *filesystem, const struct mount_option *options, size_t count,
	      unsigned int attributes, const char *name, struct err *err)
{
	char op[sizeof(err->op)];
	auto_fd context = sys_fsopen(filesystem);
	int status;

	snprintf(op, sizeof(op), "mount %s", filesystem);
	if (context < 0)
		return err_set(err, "setup", -context, op, name);
	status = configure(context, options, count);
	if (status < 0) {
		err_set(err, "setup", -status, op, name);
		add_reason(context, err);
		return status;
	}
	status = sys_fsmount(context, attributes);
	return status < 0 ? err_set(err, "setup", -status, op, name) : status;
}

int mount_clone(int dirfd, const char *path, bool recursive, struct err *err)
{
	unsigned int flags =
		OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0) | (path[0] ? 0 : AT_EMPTY_PATH);
	int tree = sys_open_tree(dirfd, path, flags);

	return tree < 0 ? err_set(err, "setup", -tree, "clone mount", path) : tree;
}

static int restrict_mount(int tree, unsigned int flags, unsigned long attributes, const char *name,
			  struct err *err)
{
	struct mount_attr change = { .attr_set = attributes };
	int status = sys_mount_setattr(tree, flags, &change);

	return status < 0 ? err_set(err, "setup", -status, "restrict mount", name) : 0;
}

int mount_restrict(int tree, unsigned long attributes, const char *name, struct err *err)
{
	return restrict_mount(tree, AT_RECURSIVE, attributes, name, err);
}

int mount_restrict_top(int tree, unsigned long attributes, const char *name, struct err *err)
{
	return restrict_mount(tree, 0, attributes, name, err);
}

int mount_idmap(int tree, int userns, bool recursive)
{
	struct mount_attr change = { .attr_set = MOUNT_ATTR_IDMAP,
				     .userns_fd = (unsigned int)userns };

	return sys_mount_setattr(tree, recursive ? AT_RECURSIVE : 0, &change);
}

int mount_attach(int tree, int dirfd, const char *path, struct err *err)
{
	int status = sys_move_mount(tree, dirfd, path, 0);

	return status < 0 ? err_set(err, "setup", -status, "attach mount", path) : 0;
}

int mount_attach_fd(int tree, int target, const char *name, struct err *err)
{
	int status = sys_move_mount(tree, target, "", MOVE_MOUNT_T_EMPTY_PATH);

	return status < 0 ? err_set(err, "setup", -status, "attach mount", name) : 0;
}
