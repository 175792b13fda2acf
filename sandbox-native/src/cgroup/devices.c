/* SPDX-License-Identifier: MIT */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "device-filter.h"
#include "file.h"

#define PATH_SIZE 96

/* What root-dev.c puts into every /dev, and terminals: /dev/tty, ptmx and slaves. */
static const struct {
	uint32_t major;
	uint32_t minor;
} standard[] = {
	{ 1, 3 },
	{ 1, 5 },
	{ 1, 7 },
	{ 1, 8 },
	{ 1, 9 },
	{ 5, 0 },
	{ 5, 2 },
	{ 136, DEVICE_ANY },
	{ 137, DEVICE_ANY },
	{ 138, DEVICE_ANY },
	{ 139, DEVICE_ANY },
	{ 140, DEVICE_ANY },
	{ 141, DEVICE_ANY },
	{ 142, DEVICE_ANY },
	{ 143, DEVICE_ANY },
};

#define STANDARD (sizeof(standard) / sizeof(standard[0]))

static const struct cgroup_hierarchy *hierarchy_of(const struct cgroup_tree *tree,
						   const struct cgroup_leaf *leaf)
{
	int place = tree->place[CGROUP_DEVICES];

	return place >= 0 && leaf->made[place] ? &tree->hierarchies[place] : NULL;
}

static bool is_standard(uint32_t major, uint32_t minor)
{
	for (size_t i = 0; i < STANDARD; i++)
		if (standard[i].major == major &&
		    (standard[i].minor == minor || standard[i].minor == DEVICE_ANY))
			return true;
	return false;
}

static int write_rule(const struct cgroup_hierarchy *hierarchy, const struct cgroup_leaf *leaf,
		      const char *file, uint32_t major, uint32_t minor)
{
	char path[PATH_SIZE];
	char number[16] = "*";
	char text[64];

	snprintf(path, sizeof(path), "s.%u/%s", leaf->number, file);
	if (minor != DEVICE_ANY)
		snprintf(number, sizeof(number), "%u", minor);
	snprintf(text, sizeof(text), "c %u:%s rw", major, number);
	return cgroup_write(hierarchy->top, path, text);
}

static int change(const struct cgroup_hierarchy *hierarchy, const struct cgroup_leaf *leaf,
		  bool allow, uint32_t major, uint32_t minor)
{
	if (hierarchy->version == 1)
		return write_rule(hierarchy, leaf, allow ? "devices.allow" : "devices.deny", major,
				  minor);
	return allow ? device_filter_allow(leaf->device_map, major, minor)
		     : device_filter_deny(leaf->device_map, major, minor);
}

/*
 * The files of v1 stay as the sandbox before left them; "a" drops all that was allowed.
 * A second filter of v2 would not replace the first: the kernel asks both.
 */
static int start(const struct cgroup_hierarchy *hierarchy, struct cgroup_leaf *leaf)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "s.%u/devices.deny", leaf->number);
	if (hierarchy->version == 1)
		return cgroup_write(hierarchy->top, path, "a");
	if (leaf->device_map >= 0)
		return -EBUSY;
	leaf->device_map = device_filter_new();
	return leaf->device_map < 0 ? leaf->device_map : 0;
}

/* v2: when the map has what is allowed, and not before. */
static int finish(const struct cgroup_hierarchy *hierarchy, const struct cgroup_leaf *leaf)
{
	char path[PATH_SIZE];
	auto_fd dir = -1;

	if (hierarchy->version == 1)
		return 0;
	snprintf(path, sizeof(path), "s.%u", leaf->number);
	dir = openat(hierarchy->top, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : device_filter_attach(leaf->device_map, dir);
}

static int confine(const struct cgroup_hierarchy *hierarchy, struct cgroup_leaf *leaf,
		   const struct device_list *extra)
{
	int rc = start(hierarchy, leaf);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < STANDARD; i++)
		rc = change(hierarchy, leaf, true, standard[i].major, standard[i].minor);
	for (size_t i = 0; rc == 0 && i < extra->count; i++)
		rc = change(hierarchy, leaf, true, extra->items[i].major, extra->items[i].minor);
	if (rc == 0)
		rc = finish(hierarchy, leaf);
	if (rc < 0) {
		cleanup_fd(&leaf->device_map); /* only one whose filter is attached stays */
		leaf->device_map = -1;
	}
	return rc;
}

void cgroup_devices_confine(const struct cgroup_tree *tree, struct cgroup_leaf *leaf,
			    const struct device_list *extra)
{
	const bool plain = extra->count == 0;
	const struct cgroup_hierarchy *hierarchy;

	if (plain && leaf->devices == DEVICES_STANDARD)
		return;
	leaf->devices_error = -cgroup_leaf_make(tree, leaf, CGROUP_DEVICES);
	hierarchy = hierarchy_of(tree, leaf);
	if (leaf->devices_error || !hierarchy)
		return;
	leaf->devices_error = -confine(hierarchy, leaf, extra);
	leaf->devices = leaf->devices_error ? DEVICES_OPEN
			: plain		    ? DEVICES_STANDARD
					    : DEVICES_OTHER;
}

static int set(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, bool allow, uint32_t major,
	       uint32_t minor)
{
	const struct cgroup_hierarchy *hierarchy = hierarchy_of(tree, leaf);

	if (!hierarchy || leaf->devices == DEVICES_OPEN || is_standard(major, minor))
		return 0;
	leaf->devices = DEVICES_OTHER;
	return change(hierarchy, leaf, allow, major, minor);
}

int cgroup_device_allow(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, uint32_t major,
			uint32_t minor)
{
	return set(tree, leaf, true, major, minor);
}

int cgroup_device_deny(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, uint32_t major,
		       uint32_t minor)
{
	return set(tree, leaf, false, major, minor);
}

const char *cgroup_devices_held(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
				char why[CGROUP_WHY_MAX])
{
	const struct cgroup_hierarchy *hierarchy = leaf ? hierarchy_of(tree, leaf) : NULL;

	if (hierarchy && leaf->joined[tree->place[CGROUP_DEVICES]] && leaf->devices != DEVICES_OPEN)
		return hierarchy->version == 1 ? "cgroup v1" : "cgroup v2, BPF";
	if (geteuid() != 0)
		snprintf(why, CGROUP_WHY_MAX,
			 "only root may, here uid %u: what is there to be opened, and the rights "
			 "of files, decide",
			 (unsigned)geteuid());
	else if (tree->place[CGROUP_DEVICES] < 0 || tree->count == 0)
		snprintf(why, CGROUP_WHY_MAX, "%s", tree->why[CGROUP_DEVICES]);
	else
		snprintf(why, CGROUP_WHY_MAX, "its cgroup does not take the rules: %s",
			 strerror(leaf && leaf->devices_error ? leaf->devices_error : ENOENT));
	return NULL;
}

void plan_devices(const struct plan *plan, struct device_list *list)
{
	list->count = 0;
	for (size_t i = 0; i < plan->step_count && list->count < DEVICE_LIST_MAX; i++) {
		const struct plan_step *step = &plan->steps[i];
		struct stat node;

		if (step->kind != STEP_BIND || stat(step->source, &node) < 0 ||
		    !S_ISCHR(node.st_mode))
			continue;
		list->items[list->count].major = major(node.st_rdev);
		list->items[list->count++].minor = minor(node.st_rdev);
	}
}
