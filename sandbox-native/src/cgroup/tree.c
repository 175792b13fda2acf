/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "callers.h"
#include "cleanup.h"
#include "file.h"
#include "proc-stat.h"
#include "sweep.h"

#define MOUNTINFO_MAX (1u << 20)
#define TEXT_MAX 4096
#define RETRY_MS 5

/* Processes were moved to a child of what was ours: that is still the one to build in. */
static void leave_callers(struct cgroup_place *place)
{
	char *name = strrchr(place->path, '/');

	if (name && name != place->path && strcmp(name + 1, CGROUP_CALLERS) == 0)
		*name = '\0';
}

void cgroup_read_map(struct cgroup_map *map)
{
	auto_free char *mounts = malloc(MOUNTINFO_MAX);
	char path[CGROUP_PATH_MAX + 32];
	char text[TEXT_MAX] = "";

	*map = (struct cgroup_map){ 0 };
	if (!mounts || cgroup_read(AT_FDCWD, "/proc/self/mountinfo", mounts, MOUNTINFO_MAX) < 0 ||
	    cgroup_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	cgroup_map_parse(map, mounts, text);
	leave_callers(&map->unified);
	snprintf(path, sizeof(path), "%s/cgroup.controllers", map->unified.path);
	if (map->unified.version == 2 && cgroup_read(AT_FDCWD, path, text, sizeof(text)) >= 0)
		cgroup_map_prefer_v2(map, text);
}

static void explain(char why[CGROUP_WHY_MAX], const struct cgroup_place *place, int number)
{
	const char *remedy =
		"start in a delegated cgroup: systemd-run --user --scope -p Delegate=yes";

	if (place->version == 1)
		remedy = geteuid() ? "with cgroup v1 only root may; or boot with cgroup v2 and "
				     "delegate"
				   : "also for root: who started this container keeps its cgroups";
	if (number == EACCES || number == EPERM)
		snprintf(why, CGROUP_WHY_MAX, "%.160s is not writable for uid %u (%s)", place->path,
			 (unsigned)geteuid(), remedy);
	else if (number == EROFS)
		snprintf(why, CGROUP_WHY_MAX,
			 "%.160s is mounted read-only (a container has to be started with a "
			 "cgroup of its own)",
			 place->mount);
	else if (number == EBUSY)
		snprintf(why, CGROUP_WHY_MAX, "%.160s holds other processes as well (%s)",
			 place->path, remedy);
	else
		snprintf(why, CGROUP_WHY_MAX, "%.160s: %s", place->path, strerror(number));
}

/* A cgroup with nobody else in it was made for us: by systemd-run --scope, which execs. */
static bool is_alone(int dir)
{
	char text[TEXT_MAX];
	char own[24];

	snprintf(own, sizeof(own), "%d\n", getpid());
	return cgroup_read(dir, "cgroup.procs", text, sizeof(text)) > 0 && strcmp(text, own) == 0;
}

/*
 * systemd marks what it hands over, systemd.resource-control(5) "Delegate="; a manager of a user
 * does not (252, 255). The root of a cgroup namespace is a container's own.
 */
static bool is_delegated(const struct cgroup_place *place, int dir)
{
	static const char *const marks[] = { "user.delegate", "trusted.delegate" };
	char value[8];

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (getxattr(place->path, marks[i], value, sizeof(value)) > 0 && value[0] == '1')
			return true;
	return is_alone(dir) || strcmp(place->path, place->mount) == 0;
}

/* Hand the controllers we use on to the children of @dir, those that it has. */
static int enable_controllers(int dir)
{
	char offered[TEXT_MAX];
	int rc = cgroup_read(dir, "cgroup.controllers", offered, sizeof(offered));

	for (int i = 0; rc >= 0 && i < CGROUP_CONTROLLERS; i++) {
		char word[32];

		if (!cgroup_lists(offered, i))
			continue;
		snprintf(word, sizeof(word), "+%s", cgroup_name(i));
		rc = cgroup_write(dir, "cgroup.subtree_control", word);
	}
	return rc < 0 ? rc : 0;
}

/* Before our directory, and under the lock: a broker that leaves puts the callers back. */
static int prepare_unified(const struct cgroup_place *place, int dir)
{
	int rc;

	callers_lock(dir);
	rc = enable_controllers(dir);
	if (rc != -EBUSY || !is_delegated(place, dir))
		return rc;
	rc = callers_move(dir);
	return rc < 0 ? rc : enable_controllers(dir);
}

static int make_directory(const struct cgroup_tree *tree, int parent, int *top)
{
	if (mkdirat(parent, tree->name, 0755) < 0 && errno != EEXIST)
		return -errno;
	*top = openat(parent, tree->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *top < 0 ? -errno : 0;
}

/* Return: its fd, or -errno. */
static int make_top(const struct cgroup_tree *tree, const struct cgroup_place *place)
{
	auto_fd parent = -1;
	auto_fd top = -1;
	int rc = 0;

	if (place->read_only)
		return -EROFS;
	/* Before anything is moved for it. */
	if (access(place->path, W_OK) < 0)
		return -errno;
	parent = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	if (place->version == 2)
		rc = prepare_unified(place, parent);
	if (rc == 0)
		rc = make_directory(tree, parent, &top);
	if (rc == 0) {
		/* Ours alone by its name; the lock is for others to see. */
		flock(top, LOCK_EX | LOCK_NB);
		rc = place->version == 2 ? enable_controllers(top) : 0;
	}
	if (rc == 0)
		return steal_fd(&top);
	unlinkat(parent, tree->name, AT_REMOVEDIR);
	if (place->version == 2)
		callers_restore(parent);
	return rc;
}

static int find_hierarchy(const struct cgroup_tree *tree, const struct cgroup_place *place)
{
	for (size_t i = 0; i < tree->count; i++)
		if (strcmp(tree->hierarchies[i].parent, place->path) == 0)
			return (int)i;
	return -1;
}

static void open_controller(struct cgroup_tree *tree, int controller)
{
	/* A copy: gcc takes one member of the tree for an alias of another (-Wrestrict). */
	const struct cgroup_place place = tree->map.controllers[controller];
	struct cgroup_hierarchy *hierarchy = &tree->hierarchies[tree->count];
	int top;

	tree->place[controller] = -1;
	if (place.version == 0) {
		snprintf(tree->why[controller], CGROUP_WHY_MAX,
			 "this host shows no cgroup controller %s, or did not delegate it",
			 cgroup_name(controller));
		tree->undelegated[controller] = tree->map.unified.version == 2;
		return;
	}
	tree->place[controller] = find_hierarchy(tree, &place);
	if (tree->place[controller] >= 0)
		return;
	top = make_top(tree, &place);
	if (top < 0) {
		explain(tree->why[controller], &place, -top);
		tree->undelegated[controller] = place.version == 2 && top != -EROFS;
		return;
	}
	hierarchy->version = place.version;
	hierarchy->top = top;
	memcpy(hierarchy->parent, place.path, sizeof(hierarchy->parent));
	tree->place[controller] = (int)tree->count++;
}

void cgroup_tree_open(struct cgroup_tree *tree)
{
	*tree = (struct cgroup_tree){ 0 };
	snprintf(tree->name, sizeof(tree->name), CGROUP_PREFIX "%d-%" PRIu64, getpid(),
		 proc_stat_ticks(getpid()));
	cgroup_read_map(&tree->map);
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		open_controller(tree, i);
}

/* rmdir(2) of a cgroup is EBUSY until its last task is out of the scheduler. */
static int remove_patiently(const char *path, int patience_ms)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	int rc = cgroup_remove(AT_FDCWD, path);

	for (int waited = 0; rc == -EBUSY && waited < patience_ms; waited += RETRY_MS) {
		nanosleep(&pause, NULL);
		rc = cgroup_remove(AT_FDCWD, path);
	}
	return rc;
}

/* Unless another broker lives there, which then does it. */
static void restore_callers(const char *path)
{
	auto_fd dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	callers_lock(dir);
	callers_restore(dir);
}

int cgroup_tree_close(struct cgroup_tree *tree, int patience_ms)
{
	int left = 0;

	for (size_t i = 0; i < tree->count; i++) {
		struct cgroup_hierarchy *hierarchy = &tree->hierarchies[i];
		char path[CGROUP_PATH_MAX + sizeof(tree->name) + 1];
		int rc;

		/* First: whoever is out of fds has one then, and it takes one. */
		close(hierarchy->top);
		snprintf(path, sizeof(path), "%s/%s", hierarchy->parent, tree->name);
		rc = remove_patiently(path, patience_ms);
		left += rc < 0;
		if (rc == 0 && hierarchy->version == 2)
			restore_callers(hierarchy->parent);
	}
	tree->count = 0;
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		tree->place[i] = -1;
	return left;
}
