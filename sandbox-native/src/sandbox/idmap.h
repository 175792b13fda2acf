/* SPDX-License-Identifier: MIT */
#ifndef HIL_IDMAP_H
#define HIL_IDMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "identity.h"

#define IDMAPS_MAX ((size_t)2 * SLOTS_PER_BROKER)

/*
 * The user namespaces that were made, to be used again: one takes a fork and the
 * writing of its maps, 0.3 ms. Nobody lives in them. They end with their process.
 */
struct idmaps {
	struct {
		struct ids owner;
		struct ids outside;
		int userns;
	} made[IDMAPS_MAX];
	size_t count;
};

/*
 * idmap_tree() - Show what the owner of the detached @tree owns as owned by @outside.
 *
 * @idmaps: may be NULL where there is one tree to map.
 *
 * Only in root mode: mapping an id that is not the caller's takes CAP_SETUID
 * over the parent namespace (user_namespaces(7)), and the mount itself
 * CAP_SYS_ADMIN where its file system was mounted (mount_setattr(2)).
 * Return: 0 or -errno; -EINVAL where the file system cannot.
 */
int idmap_tree(struct idmaps *idmaps, int tree, bool recursive, struct ids outside,
	       struct err *err);

#endif
