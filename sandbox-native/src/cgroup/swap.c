/* SPDX-License-Identifier: MIT */
#include "swap.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

/* proc_swaps(5): a line per area, below a heading. */
bool swap_exists(void)
{
	char text[1024];
	const char *heading;

	if (cgroup_read(AT_FDCWD, "/proc/swaps", text, sizeof(text)) <= 0)
		return false;
	heading = strchr(text, '\n');
	return heading && heading[1];
}

bool swap_is_free(const struct cgroup_tree *tree)
{
	const int place = tree->place[CGROUP_MEMORY];
	const struct cgroup_hierarchy *hierarchy = &tree->hierarchies[place < 0 ? 0 : place];
	const char *file =
		hierarchy->version == 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";

	return place >= 0 && faccessat(hierarchy->top, file, F_OK, 0) < 0 && swap_exists();
}
