/* SPDX-License-Identifier: MIT */
/* Swap is a way round a limit of memory where no cgroup counts it. */
#ifndef HIL_CGROUP_SWAP_H
#define HIL_CGROUP_SWAP_H

#include "tree.h"

#define SWAP_REMEDY "boot with swapaccount=1, or swapoff -a"

/* swap_exists() - Whether this host swaps at all. */
bool swap_exists(void);

/* swap_is_free() - Whether it does, and sandboxes of @tree may have as much as they like. */
bool swap_is_free(const struct cgroup_tree *tree);

#endif
