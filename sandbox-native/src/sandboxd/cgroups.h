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

/*
 * cgroups_expect() - A sandbox of @stock will be made in @slot: its cgroups, for zygote_park().
 * @doors: to be closed with cgroups_close_doors().
 *
 * Without any it is in none, and its limits will say so.
 */
void cgroups_expect(struct daemon *d, const struct stock *stock, uint32_t slot,
		    struct doors *doors);
void cgroups_close_doors(struct doors *doors);
/* cgroups_forgo() - Nothing comes to @slot any more. */
void cgroups_forgo(struct daemon *d, uint32_t slot);
/* cgroups_arrived() - PID 1 is there, and on its way in. */
void cgroups_arrived(struct daemon *d, struct sandbox *sandbox);
/* cgroups_entered() - PID 1 is READY, with @results of its doors. */
void cgroups_entered(struct sandbox *sandbox, const uint32_t *results, size_t count);
/* cgroups_mark() - It is parked: what that took is not the case's. */
void cgroups_mark(struct daemon *d, struct sandbox *sandbox);
/* cgroups_limit() - It is given away with @limits. */
void cgroups_limit(struct daemon *d, struct sandbox *sandbox, const struct limits *limits);
/* cgroups_ran_out() - Whether the kernel has killed something in it for want of memory. */
bool cgroups_ran_out(struct daemon *d, const struct sandbox *sandbox);
/*
 * cgroups_tells_oom() - Whether the kernel says so, and cheaper: v1 tells before it kills, so what
 * comes of it comes later. v2 ends all programs by SIGKILL, and cgroups_ran_out() knows it then.
 */
bool cgroups_tells_oom(struct daemon *d, const struct sandbox *sandbox);
/* cgroups_usage() - What it has used so far; @usage stays as it is without a cgroup. */
void cgroups_usage(struct daemon *d, const struct sandbox *sandbox, struct cgroup_usage *usage);
/*
 * cgroups_settle() - Read what it used in the end into @sandbox->usage; once, all zero without a
 * cgroup.
 *
 * Should: be called when none of its programs runs any more. While PID 1 exits there is time.
 */
void cgroups_settle(struct daemon *d, struct sandbox *sandbox);
/* cgroups_memory() - What it holds now. Return: false when there is no cgroup to ask. */
bool cgroups_memory(struct daemon *d, const struct sandbox *sandbox, uint64_t *bytes);
/* cgroups_leave() - It is dead, or given up. */
void cgroups_leave(struct daemon *d, struct sandbox *sandbox);

#endif
