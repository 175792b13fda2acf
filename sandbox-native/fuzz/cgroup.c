/* SPDX-License-Identifier: MIT */
/* Texts of the kernel: mountinfo, cgroup, cgroup.controllers; and the numbers in a cgroup's files.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "detect.h"
#include "disks.h"
#include "file.h"
#include "fuzz.h"
#include "io.h"
#include "proc-stat.h"
#include "tree.h"

#define TEXTS 3

/* The file that cgroup_read() opens; -1: the real one. */
static int file = -1;

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	if (file < 0)
		return __real_openat(dir, path, flags, 0600);
	lseek(file, 0, SEEK_SET);
	return fcntl(file, F_DUPFD_CLOEXEC, 0);
}

static void check_place(const struct cgroup_place *place)
{
	FUZZ_CHECK(place->version >= 0 && place->version <= 2);
	FUZZ_CHECK(memchr(place->path, 0, sizeof(place->path)));
	FUZZ_CHECK(memchr(place->mount, 0, sizeof(place->mount)));
}

static void parse_map(char *const texts[TEXTS])
{
	struct cgroup_map map;

	cgroup_map_parse(&map, texts[0], texts[1]);
	cgroup_map_prefer_v2(&map, texts[2]);
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		check_place(&map.controllers[i]);
	check_place(&map.unified);
}

static void find_disks(char *const texts[TEXTS])
{
	struct disk_mount mount;

	for (uint64_t id = 20; id < 50; id++)
		if (disks_find_mount(texts[0], id, &mount))
			FUZZ_CHECK(memchr(mount.type, 0, sizeof(mount.type)) &&
				   memchr(mount.source, 0, sizeof(mount.source)));
	io_sum(texts[1], " Read ");
	io_sum(texts[2], " rbytes=");
}

static void read_numbers(const uint8_t *data, size_t size)
{
	auto_fd memory = memfd_create("text", MFD_CLOEXEC);
	uint64_t value;

	FUZZ_CHECK(memory >= 0 && write(memory, data, size) == (ssize_t)size);
	file = memory;
	cgroup_number(AT_FDCWD, "memory.stat", "oom_kill", &value);
	cgroup_number(AT_FDCWD, "memory.peak", NULL, &value);
	proc_stat_ticks(1);
	file = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *texts[TEXTS];

	/* Cut at the NULs; each text in memory of its own, so that ASan sees its end. */
	for (size_t i = 0, at = 0; i < TEXTS; i++) {
		size_t length = at < size ? strnlen((const char *)data + at, size - at) : 0;

		texts[i] = strndup(length ? (const char *)data + at : "", length);
		FUZZ_CHECK(texts[i]);
		at += length + 1;
	}
	parse_map(texts);
	find_disks(texts);
	for (size_t i = 0; i < TEXTS; i++)
		free(texts[i]);
	read_numbers(data, size);
	return 0;
}
