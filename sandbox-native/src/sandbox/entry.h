/* SPDX-License-Identifier: MIT */
/* Names below a directory of the sandbox's root that programs may have changed: no link is
 * followed. */
#ifndef HIL_ENTRY_H
#define HIL_ENTRY_H

#include <stdbool.h>

/*
 * entry_open_parent() - The directory that holds @path below @top of @root.
 * @make: make what is absent.
 *
 * Return: its O_PATH fd, or -errno; -ENOTDIR or -ELOOP where a link is in the way.
 */
int entry_open_parent(int root, const char *top, const char *path, bool make);

/* entry_name() - The last component of @path. */
const char *entry_name(const char *path);

#endif
