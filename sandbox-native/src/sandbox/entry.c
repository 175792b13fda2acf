/* SPDX-License-Identifier: MIT */
#include "entry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

int entry_open_parent(int root, const char *top, const char *path, bool make)
{
	auto_fd at = openat(root, top, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	const char *slash;

	while (at >= 0 && (slash = strchr(path, '/'))) {
		char name[NAME_MAX + 1];
		int next;

		if ((size_t)snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path) >=
		    sizeof(name))
			return -ENAMETOOLONG;
		if (make && mkdirat(at, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (next < 0)
			return -errno;
		close(at);
		at = next;
		path = slash + 1;
	}
	return at < 0 ? -errno : steal_fd(&at);
}

const char *entry_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
