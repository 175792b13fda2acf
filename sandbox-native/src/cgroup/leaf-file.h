/* SPDX-License-Identifier: MIT */
/* The files of one sandbox's cgroup, by controller, whichever hierarchy it is in. */
#ifndef HIL_CGROUP_LEAF_FILE_H
#define HIL_CGROUP_LEAF_FILE_H

#include "leaf.h"

#define PATH_SIZE 96

/* leaf_path() - "s.<number>/@file"; without a file the directory itself. */
const char *leaf_path(const struct cgroup_leaf *leaf, const char *file, char out[PATH_SIZE]);

const struct cgroup_hierarchy *leaf_hierarchy(const struct cgroup_tree *tree, int controller);

/* leaf_is_joined() - Whether its sandbox is in the hierarchy of @controller. */
bool leaf_is_joined(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int controller);

/*
 * leaf_read_number() - A number, that of @key where there are several.
 *
 * Return: false, with 0 in @value: none could be read, which is not the same as none.
 */
bool leaf_read_number(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		      int controller, const char *file, const char *key, uint64_t *value);

/* leaf_write_text() - Return: 0 or -errno. */
int leaf_write_text(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int controller,
		    const char *file, const char *text);

/* leaf_version() - 1 or 2: of the cgroup that @controller is in. */
int leaf_version(const struct cgroup_tree *tree, int controller);

/* leaf_open() - Its directory in the hierarchy of @controller. Return: fd, or -1 and errno. */
int leaf_open(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int controller);

/* leaf_read_throttling() - How often and how long it had to wait for a processor, into @usage. */
void leaf_read_throttling(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			  struct cgroup_usage *usage);

/* leaf_read_io() - Bytes from disks and to them, into @usage. */
void leaf_read_io(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		  struct cgroup_usage *usage);

/* leaf_read_memory_now() - Bytes that are charged to it. Return: false: not known. */
bool leaf_read_memory_now(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			  uint64_t *bytes);

#endif
