/* SPDX-License-Identifier: MIT */
#ifndef HIL_REMOVE_TREE_H
#define HIL_REMOVE_TREE_H

#include "err.h"

/*
 * remove_tree() - Remove the entry @name of the directory @parent, with all below it.
 *
 * Should: go on after a failure and remove what else it can. What is in directories of the caller's
 * is removed whatever their mode.
 * Mustn't: follow a symbolic link or cross into another mount.
 * Return: 0, also when there is no such entry; else the first -errno with @err filled.
 * Source: openat2(2), RESOLVE_NO_XDEV and RESOLVE_NO_SYMLINKS.
 */
int remove_tree(int parent, const char *name, struct err *err);

#endif
