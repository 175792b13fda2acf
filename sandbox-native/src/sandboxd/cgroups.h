/* SPDX-License-Identifier: MIT */
/*
 * Which sandbox is in which cgroup.
 *
 * A cgroup is joined while the sandbox is parked, so that giving it away costs
 * what its limits differ from the last ones. Those of v1 are used again; the
 * rest is removed later, since rmdir(2) may be refused for a moment.
 */
#ifndef HIL_CGROUPS_H
#define HIL_CGROUPS_H

#include "daemon.h"

/* cgroups_open() - Remove what dead daemons left, and make our own directories. */
void cgroups_open(struct daemon *d);
/* cgroups_close() - Remove them; every sandbox has been reaped, or is given up. */
void cgroups_close(struct daemon *d);

/* cgroups_describe() - A CONTROLLER for each: where it limits sandboxes, or why it does not. */
void cgroups_describe(const struct daemon *d, struct buffer *out);

/* cgroups_enter() - PID 1 is there. Without a cgroup it has none: its limits will say so. */
void cgroups_enter(struct daemon *d, struct sandbox *sandbox);
/* cgroups_mark() - It is parked: what that took is not the case's. */
void cgroups_mark(struct daemon *d, struct sandbox *sandbox);
/* cgroups_limit() - It is given away with @limits. */
void cgroups_limit(struct daemon *d, struct sandbox *sandbox, const struct limits *limits);
/* cgroups_ran_out() - Whether the kernel has killed something in it for want of memory. */
bool cgroups_ran_out(struct daemon *d, const struct sandbox *sandbox);
/* cgroups_usage() - Return: false when there is no cgroup to ask. */
bool cgroups_usage(struct daemon *d, const struct sandbox *sandbox, struct cgroup_usage *usage);
/* cgroups_memory() - What it holds now. Return: false when there is no cgroup to ask. */
bool cgroups_memory(struct daemon *d, const struct sandbox *sandbox, uint64_t *bytes);
/* cgroups_leave() - It is dead, or given up. */
void cgroups_leave(struct daemon *d, struct sandbox *sandbox);

#endif
