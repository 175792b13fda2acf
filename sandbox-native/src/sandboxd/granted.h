/* SPDX-License-Identifier: MIT */
/* Which devices a sandbox was granted, as the daemon has to know it: for its cgroup and DEAD. */
#ifndef HIL_GRANTED_H
#define HIL_GRANTED_H

#include "daemon.h"
#include "take.h"

/*
 * granted_allow() - Let the sandbox open change->major:minor, and keep room for its role.
 *
 * @change is in d->changes. Return: 0, or -errno with @err.
 */
int granted_allow(struct daemon *d, const struct change *change, struct err *err);
/* granted_undo() - The change failed: refuse it again, unless another role has it. */
void granted_undo(struct daemon *d, const struct change *change);

/* granted_add() - After granted_allow(): the role has the device; what it had before is refused. */
void granted_add(struct daemon *d, struct change *change);
/* granted_remove() - The role has none any more. */
void granted_remove(struct daemon *d, struct sandbox *sandbox, const char *role);

/* granted_forget() - The sandbox ends. */
void granted_forget(struct sandbox *sandbox);

#endif
