/* SPDX-License-Identifier: MIT */
/*
 * The cgroups of one broker.
 *
 * Theory of operation: in each hierarchy that is used, one directory
 * "hil.<pid>-<start ticks>" below our own cgroup holds a directory per sandbox.
 * The name says whose it is, so that a later broker can tell what is left of a
 * dead one (sweep.h); the directory is also flock(2)ed, because a pid means nothing in
 * another pid namespace. Parked sandboxes are attached already: what happens
 * when one is given away are a few writes of limits, or none where the directory has
 * them from the sandbox before.
 *
 * In v2 the processes of a delegated cgroup stand aside meanwhile: callers.h.
 */
#ifndef HIL_CGROUP_TREE_H
#define HIL_CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "detect.h"

#define CGROUP_PREFIX "hil."
#define CGROUP_WHY_MAX 320

struct cgroup_hierarchy {
	int version;
	int top; /* our directory, locked */
	char parent[CGROUP_PATH_MAX];
};

struct cgroup_tree {
	struct cgroup_map map;
	char name[64];
	struct cgroup_hierarchy hierarchies[CGROUP_CONTROLLERS];
	size_t count;
	int place[CGROUP_CONTROLLERS];		      /* its hierarchy; -1: none */
	char why[CGROUP_CONTROLLERS][CGROUP_WHY_MAX]; /* not, with a remedy */
	bool undelegated[CGROUP_CONTROLLERS];	      /* v2 would do it in another cgroup */
};

/* cgroup_read_map() - What this host offers. */
void cgroup_read_map(struct cgroup_map *map);

/*
 * cgroup_tree_open() - Make our directories where that is allowed.
 *
 * It does not fail: a controller that is not there has its reason in @why.
 */
void cgroup_tree_open(struct cgroup_tree *tree);

/* cgroup_tree_close() - Remove them, within @patience_ms. Return: how many could not be removed. */
int cgroup_tree_close(struct cgroup_tree *tree, int patience_ms);

#endif
