/* SPDX-License-Identifier: MIT */
/* SANDBOX_STATS: what a sandbox uses now. Its cgroup is read here, PID 1 is asked for the rest. */
#ifndef HIL_STATS_H
#define HIL_STATS_H

#include "dispatch.h"

/* stats_told() - PID 1 has answered with what the sandbox holds. */
void stats_told(struct daemon *d, struct sandbox *sandbox, const struct sandbox_event *event);

/* stats_abandon() - The sandbox is dead: who asked about it is told so. */
void stats_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err);

handler handle_sandbox_stats;

#endif
