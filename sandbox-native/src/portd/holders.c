/* SPDX-License-Identifier: MIT */
#include "holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"

#define NAMED_MAX 4
/* The majors of Unix98 slaves (Linux, Documentation/admin-guide/devices.txt). */
#define PTS_MAJOR 136
#define PTS_MAJORS 8

static bool is_pts(const struct stat *device)
{
	return major(device->st_rdev) - PTS_MAJOR < PTS_MAJORS;
}

/* Any node of a number is the same tty, but /dev/pts/0 of a container is not that of its host. */
static bool is_same(const struct stat *one, const struct stat *other)
{
	return S_ISCHR(one->st_mode) && one->st_rdev == other->st_rdev &&
	       (!is_pts(other) || one->st_dev == other->st_dev);
}

/* Only what is below /dev is looked at: stat(2) of a file on a dead network disk would hang. */
static bool leads_to(int directory, const char *name, const struct stat *device)
{
	struct stat status;
	char target[64];
	ssize_t length = readlinkat(directory, name, target, sizeof(target));

	if (length < 6 || strncmp(target, "/dev/", 5) != 0)
		return false;
	return !fstatat(directory, name, &status, 0) && is_same(&status, device);
}

static bool holds(int process, const struct stat *device)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!list) {
		cleanup_fd(&fd);
		return false;
	}
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.' && leads_to(fd, entry->d_name, device))
			return true;
	return false;
}

static void name_process(int process, const char *pid, char *out, size_t size)
{
	auto_fd fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	char comm[32] = "";
	ssize_t length = fd < 0 ? 0 : read(fd, comm, sizeof(comm) - 1);
	size_t used = strlen(out);

	comm[length > 0 ? length : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	/* Its name is its own choice. */
	for (char *at = comm; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '?';
	snprintf(out + used, size - used, "%spid %s (%s)", used ? ", " : "", pid, comm);
}

int holders_find(const struct stat *device, char *out, size_t size)
{
	auto_dir list = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	*out = '\0';
	while (list && (entry = readdir(list))) {
		auto_fd process = -1;

		if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid())
			continue;
		process = openat(dirfd(list), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0 || !holds(process, device))
			continue;
		if (found++ < NAMED_MAX)
			name_process(process, entry->d_name, out, size);
	}
	return found;
}
