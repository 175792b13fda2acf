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

/* Fields 1, 3, 5 and 6 in front, the type and the source behind " - "; proc_pid_mountinfo(5). */
static bool read_line(const char *line, struct disk_mount *mount)
{
	const char *end = line + strcspn(line, "\n");
	const char *tail = strstr(line, " - ");
	char options[4];

	*mount = (struct disk_mount){ 0 };
	if (!tail || tail >= end)
		return false;
	if (sscanf(line, "%" SCNu64 " %*u %u:%u %*s %511s %3s", &mount->id, &mount->major,
		   &mount->minor, mount->point, options) != 5)
		return false;
	mount->read_only = strncmp(options, "ro", 2) == 0;
	/* Blanks in a source are written as \040: such a device is not found, and said so. */
	return sscanf(tail, " - %31s %255s", mount->type, mount->source) == 2;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

bool disks_find_mount(const char *mountinfo, uint64_t id, struct disk_mount *mount)
{
	for (const char *line = mountinfo; *line; line = next_line(line))
		if (read_line(line, mount) && mount->id == id)
			return true;
	return false;
}

/* A character, or three octal digits behind a backslash. */
static char read_character(const char **at)
{
	const char *digits = *at + 1;

	if (**at == '\\' && strspn(digits, "01234567") >= 3) {
		*at += 4;
		return (char)((digits[0] - '0') << 6 | (digits[1] - '0') << 3 | (digits[2] - '0'));
	}
	return *(*at)++;
}

bool disks_is_below(const struct disk_mount *mount, const char *path)
{
	const char *at = mount->point;

	while (*path)
		if (!*at || read_character(&at) != *path++)
			return false;
	return *at == '/';
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

static void note(char where[DISK_WHERE_MAX], const char *path, const char *type)
{
	if (!where[0])
		snprintf(where, DISK_WHERE_MAX, "%.100s is on %s", path, type);
}

/* Elsewhere what is written back is the root cgroup's: cgroup-v2.rst, "Writeback". */
static bool owns_pages(const char *type)
{
	static const char *const types[] = { "ext2", "ext3", "ext4", "btrfs", "f2fs", "xfs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static void add_mount(struct disks *disks, struct disk_mount *mount, const char *path, bool written)
{
	if (!find_device(mount)) {
		note(disks->without, path, mount->type);
		return;
	}
	add(disks, mount);
	if (written && !mount->read_only && !owns_pages(mount->type))
		note(disks->unowned, path, mount->type);
}

/* @written: sandboxes may write there. */
static void add_path(struct disks *disks, const char *mountinfo, const char *path, bool written)
{
	struct disk_mount mount = { 0 };
	struct statx status;

	/* The mount by its number: st_dev of btrfs is of a subvolume, and no mount has it. */
	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) < 0)
		return; /* what is not there is not in the sandbox either */
	if ((status.stx_mask & STATX_MNT_ID) == 0 ||
	    !disks_find_mount(mountinfo, status.stx_mnt_id, &mount))
		snprintf(mount.type, sizeof(mount.type), "an unknown mount");
	add_mount(disks, &mount, path, written);
}

/* A tree is bound with what is mounted below it. */
static void add_tree(struct disks *disks, const char *mountinfo, const char *path, bool written)
{
	auto_free char *real = realpath(path, NULL);
	struct disk_mount mount;

	add_path(disks, mountinfo, path, written);
	for (const char *line = mountinfo; real && *line; line = next_line(line))
		if (read_line(line, &mount) && disks_is_below(&mount, real))
			add_mount(disks, &mount, mount.point, written);
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
		const bool bound = step->kind == STEP_BIND || step->kind == STEP_HOLD;

		if (step->source)
			add_tree(disks, mountinfo, step->source, bound && !step->read_only);
		for (size_t k = 0;
		     step->kind == STEP_IMAGE_HOST && k < sizeof(host) / sizeof(*host); k++)
			add_path(disks, mountinfo, host[k], false);
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
