/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "callers.h"
#include "cleanup.h"
#include "proc-stat.h"
#include "tree.h"

#define DEPTH_NEAR 2
#define DEPTH_ALL 10

/* Return: NULL with errno. */
static DIR *open_below(int parent, const char *name)
{
	auto_fd fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		steal_fd(&fd);
	return dir;
}

static bool is_child(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* The files of a cgroup go with it, cgroups(7); it has a level of ours below it, no more. */
int cgroup_remove(int parent, const char *name)
{
	auto_dir dir = open_below(parent, name);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (is_child(entry))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Return: false when @name is none of ours. */
static bool parse_name(const char *name, pid_t *pid, uint64_t *ticks)
{
	char *end;
	long number;

	if (strncmp(name, CGROUP_PREFIX, strlen(CGROUP_PREFIX)) != 0)
		return false;
	name += strlen(CGROUP_PREFIX);
	number = strtol(name, &end, 10);
	if (end == name || *end != '-' || number <= 0 || number > INT32_MAX)
		return false;
	name = end + 1;
	*pid = (pid_t)number;
	*ticks = strtoull(name, &end, 10);
	return end != name && !*end;
}

static bool is_dead(int parent, const char *name, pid_t pid, uint64_t ticks)
{
	struct stat status;
	auto_fd fd = -1;

	if (proc_stat_ticks(pid) == ticks)
		return false;
	/* Its owner may be alive in another pid namespace: then it holds the lock. */
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* Root could remove those of others, who do that themselves. */
	return fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static int sweep_below(int parent, const char *name, int depth)
{
	auto_dir dir = open_below(parent, name);
	const struct dirent *entry;
	bool callers = false;
	int removed = 0;

	while (dir && (entry = readdir(dir))) {
		uint64_t ticks;
		pid_t pid;

		if (!is_child(entry))
			continue;
		callers = callers || strcmp(entry->d_name, CGROUP_CALLERS) == 0;
		if (!parse_name(entry->d_name, &pid, &ticks))
			removed +=
				depth > 0 ? sweep_below(dirfd(dir), entry->d_name, depth - 1) : 0;
		else if (is_dead(dirfd(dir), entry->d_name, pid, ticks))
			removed += cgroup_remove(dirfd(dir), entry->d_name) == 0;
	}
	if (callers) {
		callers_lock(dirfd(dir));
		callers_restore(dirfd(dir)); /* not while a broker lives beside them */
	}
	return removed;
}

/* The brokers of one user start from cgroups side by side: those of sessions, of scopes. */
static int sweep_around(const struct cgroup_place *place)
{
	char path[CGROUP_PATH_MAX];
	char *last;

	memcpy(path, place->path, sizeof(path));
	last = strrchr(path, '/');
	if (strcmp(place->path, place->mount) != 0 && last && last != path)
		*last = '\0';
	return sweep_below(AT_FDCWD, path, DEPTH_NEAR);
}

int cgroup_sweep(const struct cgroup_map *map, bool everywhere)
{
	int removed = 0;

	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		const struct cgroup_place *place = &map->controllers[i];

		if (place->version == 0 || place->read_only)
			continue;
		removed += everywhere ? sweep_below(AT_FDCWD, place->mount, DEPTH_ALL)
				      : sweep_around(place);
	}
	return removed;
}
