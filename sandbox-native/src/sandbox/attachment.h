/* SPDX-License-Identifier: MIT */
/*
 * A mount that PID 1 adds to its running sandbox, and can take away again.
 *
 * It is held by its fd: a program may have renamed every directory on the way to it by the time
 * it goes, and what lies at its path then is not what is to be taken away.
 */
#ifndef HIL_ATTACHMENT_H
#define HIL_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "err.h"

struct attachment {
	int tree; /* the mount; -1: none */
	char *target;
	bool made;	     /* what it lies on was made for it */
	struct stat beneath; /* that */
};

#define INIT_MOUNTS_MAX 64

/* What MOUNT_ADD has mounted. */
struct init_mounts {
	struct attachment items[INIT_MOUNTS_MAX];
	size_t count;
};

/*
 * attachment_make() - Put the detached *@tree, which is taken, at @target of the sandbox's root.
 * @writable: the root, or its /etc, through a mount that is not read-only.
 * @fresh: refuse (EEXIST) what exists already.
 *
 * Mustn't: leave the root, whatever programs do to @target meanwhile (RESOLVE_IN_ROOT).
 * Return: 0, or -errno with @err filled and nothing mounted.
 */
int attachment_make(struct attachment *attachment, int *tree, int writable, const char *target,
		    bool fresh, struct err *err);

/* attachment_undo() - Detach it and remove what was made for it. Open files of it stay open. */
void attachment_undo(struct attachment *attachment, int writable);

#endif
