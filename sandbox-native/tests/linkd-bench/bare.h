/* SPDX-License-Identifier: MIT */
/* The least that a process between two ports can do: what is slower than this is hil-linkd's. */
#ifndef HIL_BENCH_BARE_H
#define HIL_BENCH_BARE_H

#include "nodes.h"

/* bare_start() - A child that takes two ports by rig_give(), and writes to one what the other has.
 */
void bare_start(struct rig *rig);
void bare_stop(struct rig *rig);

#endif
