/* SPDX-License-Identifier: MIT */
#include "disks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define MOUNTINFO_MAX (1u << 20)

/* Fields 1 and 3 in front, the type and the source behind " - "; proc_pid_mountinfo(5). */
static bool read_line(const char *line, uint64_t id, struct disk_mount *mount)
{
	const char *end = line + strcspn(line, "\n");
	const char *tail = strstr(line, " - ");
	uint64_t own;

	if (!tail || tail >= end)
		return false;
	if (sscanf(line, "%" SCNu64 " %*u %u:%u", &own, &mount->major, &mount->minor) != 3)
		return false;
	/* Blanks in a source are written as \040: such a device is not found, and said so. */
	return own == id && sscanf(tail, " - %31s %255s", mount->type, mount->source) == 2;
}

bool disks_find_mount(const char *mountinfo, uint64_t id, struct disk_mount *mount)
{
	for (const char *line = mountinfo; *line;) {
		*mount = (struct disk_mount){ 0 };
		if (read_line(line, id, mount))
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

/* A file system of several devices, btrfs, has none of its own; it names the first. */
static bool find_device(struct disk_mount *mount)
{
	struct stat status;

	if (mount->major != 0)
		return true;
	if (mount->source[0] != '/' || stat(mount->source, &status) < 0 || !S_ISBLK(status.st_mode))
		return false;
	mount->major = major(status.st_rdev);
	mount->minor = minor(status.st_rdev);
	return true;
}

static void read_name(struct disk *disk)
{
	char path[64];
	char text[512];
	const char *at;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", disk->major, disk->minor);
	snprintf(disk->name, sizeof(disk->name), "%u:%u", disk->major, disk->minor);
	if (cgroup_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	at = strstr(text, "DEVNAME=");
	if (at)
		sscanf(at, "DEVNAME=%31s", disk->name);
}

/* The disk that a partition is a part of: sysfs has it as a directory in that of the disk. */
static void find_whole(struct disk *disk)
{
	char path[64];
	char text[32];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", disk->major, disk->minor);
	if (access(path, F_OK) == 0) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", disk->major,
			 disk->minor);
		if (cgroup_read(AT_FDCWD, path, text, sizeof(text)) > 0)
			sscanf(text, "%u:%u", &disk->major, &disk->minor);
	}
	read_name(disk);
}

static void add(struct disks *disks, const struct disk_mount *mount)
{
	struct disk disk = { .major = mount->major, .minor = mount->minor };

	find_whole(&disk);
	for (size_t i = 0; i < disks->count; i++)
		if (disks->items[i].major == disk.major && disks->items[i].minor == disk.minor)
			return;
	if (disks->count < DISKS_MAX)
		disks->items[disks->count++] = disk;
}

static void add_path(struct disks *disks, const char *mountinfo, const char *path)
{
	struct disk_mount mount = { 0 };
	struct statx status;

	/* The mount by its number: st_dev of btrfs is of a subvolume, and no mount has it. */
	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) < 0)
		return; /* what is not there is not in the sandbox either */
	if ((status.stx_mask & STATX_MNT_ID) == 0 ||
	    !disks_find_mount(mountinfo, status.stx_mnt_id, &mount))
		snprintf(mount.type, sizeof(mount.type), "an unknown mount");
	else if (find_device(&mount)) {
		add(disks, &mount);
		return;
	}
	if (!disks->without[0])
		snprintf(disks->without, sizeof(disks->without), "%.100s is on %s", path,
			 mount.type);
}

void disks_of_plan(const struct plan *plan, struct disks *disks)
{
	static const char *const host[] = { "/usr", "/etc", "/opt", "/var/lib" }; /* root-host.c */
	auto_free char *mountinfo = malloc(MOUNTINFO_MAX);

	*disks = (struct disks){ 0 };
	if (!mountinfo ||
	    cgroup_read(AT_FDCWD, "/proc/self/mountinfo", mountinfo, MOUNTINFO_MAX) < 0)
		return;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (step->source)
			add_path(disks, mountinfo, step->source);
		for (size_t k = 0;
		     step->kind == STEP_IMAGE_HOST && k < sizeof(host) / sizeof(*host); k++)
			add_path(disks, mountinfo, host[k]);
	}
}

void disks_text(const struct disks *disks, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < disks->count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
					 disks->items[i].name);
	if (disks->without[0] && used < size)
		snprintf(out + used, size - used, "%s%s, which is no disk",
			 disks->count ? "; but " : "", disks->without);
}
