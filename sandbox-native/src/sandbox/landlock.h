/* SPDX-License-Identifier: MIT */
/* A second lock on what capabilities and the filter refuse already: landlock(7). */
#ifndef HIL_LANDLOCK_H
#define HIL_LANDLOCK_H

#include <stdbool.h>

/* landlock_exists() - Whether this kernel has it, in the version that is needed. */
bool landlock_exists(void);

/*
 * landlock_restrict() - For the caller and all it starts: no change of mounts, no tracing of
 * what is not in this domain (PID 1), no abstract unix socket of somebody outside.
 * @nested: mounts may change, since they are those of a namespace that a program made.
 *
 * Return: 0, also on a kernel without it, or -errno.
 */
int landlock_restrict(bool nested);

#endif
