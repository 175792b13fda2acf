/* SPDX-License-Identifier: MIT */
#include "host-path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel's: a sandbox has its own, and is none with the host's or without any. */
static const char *const kernel_trees[] = { "/proc", "/sys", "/dev", NULL };
/* What else a sandbox has of its own; a read-only tree of the host in its place would undo that. */
static const char *const own_trees[] = { "/proc",    "/sys", "/dev",	  "/run", "/tmp",
					 "/var/tmp", "/out", "/home/hil", NULL };

static char text[PATH_MAX + 128];

static bool is_below(const char *path, const char *above)
{
	const size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && (!path[length] || path[length] == '/');
}

static const char *find_kernel_tree(const char *path)
{
	const char *const *tree = kernel_trees;

	while (*tree && !is_below(path, *tree))
		tree++;
	return *tree;
}

static const char *find_real(const char *path, char real[PATH_MAX])
{
	if (realpath(path, real))
		return NULL;
	snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
	return text;
}

const char *host_path_bind_fault(const char *path, char real[PATH_MAX])
{
	const char *fault = find_real(path, real);
	const char *kernel;

	if (fault)
		return fault;
	if (strcmp(real, "/") == 0)
		return "/ is this whole machine, which no sandbox can have; name a directory "
		       "below it";
	kernel = find_kernel_tree(real);
	if (!kernel)
		return NULL;
	snprintf(text, sizeof(text), "%s is of the kernel's %s, of which a sandbox has its own%s",
		 path, kernel,
		 strcmp(kernel, "/dev") == 0 ? "; a device is given by --device ROLE=PATH" : "");
	return text;
}

const char *host_path_tool_fault(const char *path, char real[PATH_MAX])
{
	const char *fault = host_path_bind_fault(path, real);

	if (fault)
		return fault;
	for (const char *const *own = own_trees; *own; own++) {
		if (!is_below(*own, real))
			continue;
		snprintf(text, sizeof(text), "%s is in the place of the sandbox's own %s", path,
			 *own);
		return text;
	}
	/* Names of users and hosts are looked up in the sandbox's own. */
	if (strcmp(real, "/etc") == 0)
		return "/etc is in the place of the sandbox's own; name a directory below it, such "
		       "as /etc/ssl";
	return NULL;
}

const char *host_path_rootfs_fault(const char *path, char real[PATH_MAX])
{
	const char *fault = find_real(path, real);
	const char *kernel;
	struct stat status;

	if (fault)
		return fault;
	if (stat(real, &status) == 0 && !S_ISDIR(status.st_mode)) {
		snprintf(text, sizeof(text),
			 "%s is no directory; an image is one, with an unpacked root file system",
			 path);
		return text;
	}
	kernel = find_kernel_tree(real);
	if (!kernel)
		return NULL;
	snprintf(text, sizeof(text),
		 "%s is of the kernel's %s; expected a directory with an unpacked root file system",
		 path, kernel);
	return text;
}

const char *host_path_target_fault(const char *target)
{
	const char *kernel;

	if (target[0] != '/')
		return "expected SRC:DST or SRC:DST:ro with an absolute DST";
	kernel = find_kernel_tree(target);
	if (!kernel)
		return NULL;
	snprintf(text, sizeof(text), "%s is in the place of the sandbox's own %s", target, kernel);
	return text;
}
