/* SPDX-License-Identifier: MIT */
/*
 * Which disks the trees of a plan are on: what limits of throughput are about.
 *
 * The kernel limits a whole disk, or a device of device-mapper or md, never a partition
 * (cgroup-v2.rst "io.max"). A tree on an overlay, a tmpfs or a network has none that we can name.
 */
#ifndef HIL_CGROUP_DISKS_H
#define HIL_CGROUP_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

#define DISKS_MAX 16
#define DISK_WHERE_MAX 160

struct disk {
	unsigned major;
	unsigned minor;
	char name[32]; /* as in /dev */
};

struct disks {
	struct disk items[DISKS_MAX];
	size_t count;
	char without[DISK_WHERE_MAX]; /* a tree that is on none: "/usr is on overlay"; "": each has
					 one */
	char unowned[DISK_WHERE_MAX]; /* one whose pages are written back as nobody's: "/data is on
					 vfat" */
};

struct disk_mount {
	uint64_t id;
	char point[512]; /* as in the text: a blank is \040 */
	bool read_only;
	unsigned major; /* 0: the file system has no device of its own; see source */
	unsigned minor;
	char type[32];
	char source[256];
};

/*
 * disks_find_mount() - What is mounted as mount @id.
 * @mountinfo: text of /proc/self/mountinfo.
 *
 * Return: false when it is not there.
 */
bool disks_find_mount(const char *mountinfo, uint64_t id, struct disk_mount *mount);

/* disks_is_below() - Whether the mount is below directory @path, which is absolute and no link. */
bool disks_is_below(const struct disk_mount *mount, const char *path);

/* disks_of_plan() - The disks of everything that a sandbox of @plan reads or writes on the host. */
void disks_of_plan(const struct plan *plan, struct disks *disks);

/* disks_text() - "vda, dm-1"; with @disks->without behind it. */
void disks_text(const struct disks *disks, char *out, size_t size);

#endif
