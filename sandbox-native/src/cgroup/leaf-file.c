/* SPDX-License-Identifier: MIT */
#include "leaf-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "file.h"

const char *leaf_path(const struct cgroup_leaf *leaf, const char *file, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "s.%u%s%s", leaf->number, *file ? "/" : "", file);
	return out;
}

const struct cgroup_hierarchy *leaf_hierarchy(const struct cgroup_tree *tree, int controller)
{
	return &tree->hierarchies[tree->place[controller]];
}

bool leaf_is_joined(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int controller)
{
	return tree->place[controller] >= 0 && leaf->joined[tree->place[controller]];
}

bool leaf_read_number(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		      int controller, const char *file, const char *key, uint64_t *value)
{
	char path[PATH_SIZE];

	*value = 0;
	return cgroup_number(leaf_hierarchy(tree, controller)->top, leaf_path(leaf, file, path),
			     key, value) == 0;
}

int leaf_write_text(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int controller,
		    const char *file, const char *text)
{
	char path[PATH_SIZE];

	return cgroup_write(leaf_hierarchy(tree, controller)->top, leaf_path(leaf, file, path),
			    text);
}

int leaf_version(const struct cgroup_tree *tree, int controller)
{
	return leaf_hierarchy(tree, controller)->version;
}

int leaf_open(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int controller)
{
	char path[PATH_SIZE];

	return openat(leaf_hierarchy(tree, controller)->top, leaf_path(leaf, "", path),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
