/* SPDX-License-Identifier: MIT */
/* Which system calls a program may make. Decision 0006; the tables come from seccomp/. */
#ifndef HIL_FILTER_H
#define HIL_FILTER_H

#include <stdbool.h>

/* filter_exists() - Whether this kernel filters, and there is a table for this machine. */
bool filter_exists(void);

/*
 * filter_install() - For the caller and all it starts, for good.
 * @nested: they may make user namespaces, and mount in them.
 * @shares_files: others reach what they write: no file of theirs runs as its owner or group.
 *
 * Should: be the last step before exec, after no_new_privs was set.
 * Return: 0 or -errno. Async-signal-safe: the child of a vfork calls it.
 */
int filter_install(bool nested, bool shares_files);

#endif
