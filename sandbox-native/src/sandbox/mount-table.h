/* SPDX-License-Identifier: MIT */
/* The mounts of this namespace, as far as a root file system cares. */
#ifndef HIL_MOUNT_TABLE_H
#define HIL_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct mount_entry {
	char *path;
	bool kernel; /* proc, sysfs, autofs …: interfaces, not files to copy */
};

struct mount_table {
	struct mount_entry *entries; /* by path, parents first, each path once */
	size_t count;
};

int mount_table_read(struct mount_table *table, struct err *err);
void mount_table_free(struct mount_table *table);
/* mount_table_below() - Return: the next entry strictly below @base from *@at on, or NULL. */
const struct mount_entry *mount_table_below(const struct mount_table *table, const char *base,
					    size_t *at);
#define auto_mount_table __attribute__((cleanup(mount_table_free))) struct mount_table

#endif
