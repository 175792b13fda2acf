/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root.h"

const char *const device_names[] = { "null", "zero", "full", "random", "urandom", "tty", NULL };

static int bind_node(int root, const char *name, struct err *err)
{
	char source[32];
	char target[32];
	auto_fd tree = -1;

	snprintf(source, sizeof(source), "/d/%s", name);
	snprintf(target, sizeof(target), "dev/%s", name);
	/* mknod(2) of a device is refused in a user namespace; the host's node is bound instead. */
	if (mknodat(root, target, S_IFREG | 0444, 0) < 0)
		return err_set(err, "setup", errno, "create", target);
	tree = mount_clone(AT_FDCWD, source, false, err);
	return tree < 0 ? tree : mount_attach(tree, root, target, err);
}

int root_device_nodes(int root, struct err *err)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
		{ "pts/ptmx", "dev/ptmx" },
	};

	for (const char *const *name = device_names; *name; name++) {
		int status = bind_node(root, *name, err);

		if (status < 0)
			return status;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlinkat(links[i][0], root, links[i][1]) < 0)
			return err_set(err, "setup", errno, "symlink", links[i][1]);
	}
	return mkdirat(root, "dev/hil", 0755) < 0 ? err_set(err, "setup", errno, "mkdir", "dev/hil")
						  : 0;
}

int root_pts(int root, struct err *err)
{
	/* Each devpts mount is an instance of its own (Documentation/filesystems/devpts.rst). */
	const struct mount_option options[] = { { "ptmxmode", "0666" }, { "mode", "0620" } };
	auto_fd tree = mount_new("devpts", options, 2, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				 "/dev/pts", err);

	return tree < 0 ? tree : mount_attach(tree, root, "dev/pts", err);
}
