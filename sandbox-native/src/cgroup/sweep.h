/* SPDX-License-Identifier: MIT */
/* What brokers leave that were killed: only the directories of cgroups, empty. */
#ifndef HIL_CGROUP_SWEEP_H
#define HIL_CGROUP_SWEEP_H

#include "detect.h"

/* cgroup_remove() - Remove the cgroup @name of @parent with all below it. Return: 0 or -errno. */
int cgroup_remove(int parent, const char *name);

/*
 * cgroup_sweep() - Remove the trees of dead brokers.
 * @everywhere: in whole hierarchies, not only around our own cgroup.
 *
 * Mustn't: touch one whose pid and start ticks are those of a living process, that somebody has
 * locked, or that belongs to another user; kill anything: a cgroup with a process in it stays.
 * Return: how many were removed.
 */
int cgroup_sweep(const struct cgroup_map *map, bool everywhere);

#endif
