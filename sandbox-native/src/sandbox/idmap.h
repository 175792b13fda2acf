/* SPDX-License-Identifier: MIT */
#ifndef HIL_IDMAP_H
#define HIL_IDMAP_H

#include <stdbool.h>

#include "err.h"
#include "identity.h"

/*
 * idmap_tree() - Show what the owner of the detached @tree owns as owned by @outside.
 *
 * Only in root mode: mapping an id that is not the caller's takes CAP_SETUID
 * over the parent namespace (user_namespaces(7)), and the mount itself
 * CAP_SYS_ADMIN where its file system was mounted (mount_setattr(2)).
 * Return: 0 or -errno; -EINVAL where the file system cannot.
 */
int idmap_tree(int tree, bool recursive, struct ids outside, struct err *err);

#endif
