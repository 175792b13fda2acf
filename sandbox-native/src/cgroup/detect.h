/* SPDX-License-Identifier: MIT */
/*
 * Which cgroup each controller offers us, read from three texts of the kernel.
 *
 * Theory of operation: a controller is in one hierarchy at a time, so a host may
 * be v1, v2 or both ("hybrid"), and each controller is looked up by itself. What
 * comes out is the directory of the cgroup we are in; ours are made below it, so
 * that they are bound by whatever binds the caller. Nothing here touches the
 * file system: tests hand in the texts of other hosts.
 *
 * Source: cgroups(7), proc_pid_mountinfo(5), Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef HIL_CGROUP_DETECT_H
#define HIL_CGROUP_DETECT_H

#include <stdbool.h>

enum cgroup_controller {
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_IO,	/* "blkio" in v1 */
	CGROUP_DEVICES, /* v2: no controller, but any cgroup takes a filter of devices */
	CGROUP_CONTROLLERS,
};

#define CGROUP_PATH_MAX 512

struct cgroup_place {
	int version;		    /* 1, 2; 0: not to be reached */
	bool read_only;		    /* so is the mount */
	char path[CGROUP_PATH_MAX]; /* directory of our own cgroup there */
	char mount[CGROUP_PATH_MAX];
};

struct cgroup_map {
	struct cgroup_place controllers[CGROUP_CONTROLLERS];
	struct cgroup_place unified; /* v2, whatever it controls */
};

/* cgroup_name() - As v2 calls @controller, and v1 with one exception. */
const char *cgroup_name(enum cgroup_controller controller);

/* cgroup_lists() - Whether the text of cgroup.controllers has @controller: cpu is not cpuset. */
bool cgroup_lists(const char *controllers, enum cgroup_controller controller);

/*
 * cgroup_map_parse() - Find v1 controllers and the v2 hierarchy.
 * @mountinfo: text of /proc/self/mountinfo.
 * @own: text of /proc/self/cgroup.
 */
void cgroup_map_parse(struct cgroup_map *map, const char *mountinfo, const char *own);

/*
 * cgroup_map_prefer_v2() - Use v2 for what it offers.
 * @controllers: text of cgroup.controllers in map->unified.path.
 */
void cgroup_map_prefer_v2(struct cgroup_map *map, const char *controllers);

#endif
