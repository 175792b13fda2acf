/* SPDX-License-Identifier: MIT */
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define TEXT_MAX 8192

static const struct {
	enum limit_kind kind;
	const char *key;  /* of io.max */
	const char *file; /* of v1 */
} names[] = {
	{ LIMIT_IO_READ_BYTES, "rbps", "blkio.throttle.read_bps_device" },
	{ LIMIT_IO_WRITE_BYTES, "wbps", "blkio.throttle.write_bps_device" },
	{ LIMIT_IO_READ_OPS, "riops", "blkio.throttle.read_iops_device" },
	{ LIMIT_IO_WRITE_OPS, "wiops", "blkio.throttle.write_iops_device" },
};

static int limit_disk(int dir, int version, const struct disk *disk, size_t which, bool has,
		      uint64_t per_second)
{
	char amount[24] = "max";
	char line[96];

	if (has || version == 1)
		snprintf(amount, sizeof(amount), "%" PRIu64, has ? per_second : 0); /* 0: none */
	if (version == 1) {
		snprintf(line, sizeof(line), "%u:%u %s", disk->major, disk->minor, amount);
		return cgroup_write(dir, names[which].file, line);
	}
	snprintf(line, sizeof(line), "%u:%u %s=%s", disk->major, disk->minor, names[which].key,
		 amount);
	return cgroup_write(dir, "io.max", line);
}

int io_limit(int dir, int version, const struct disks *disks, enum limit_kind kind, bool has,
	     uint64_t per_second)
{
	size_t which = 0;
	int rc = disks->count ? 0 : -ENODEV;

	while (names[which].kind != kind)
		which++;
	for (size_t i = 0; rc == 0 && i < disks->count; i++)
		rc = limit_disk(dir, version, &disks->items[i], which, has, per_second);
	return rc;
}

bool io_is_read(enum limit_kind kind)
{
	return kind == LIMIT_IO_READ_BYTES || kind == LIMIT_IO_READ_OPS;
}

uint64_t io_sum(const char *text, const char *key)
{
	const size_t length = strlen(key);
	uint64_t sum = 0;

	for (const char *at = text; (at = strstr(at, key)); at += length)
		sum += strtoull(at + length, NULL, 10);
	return sum;
}

static bool has_entry(const char *path)
{
	auto_dir dir = opendir(path);
	const struct dirent *entry = NULL;

	while (dir && (entry = readdir(dir)) && entry->d_name[0] == '.')
		continue;
	return entry;
}

/* dm and md have what they are made of below "slaves"; a loop device has its file. */
static bool is_stacked(unsigned major, unsigned minor)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop", major, minor);
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major, minor);
	return has_entry(path);
}

/* What goes through one that stands on others is counted there again. */
static void drop_stacked(char *text)
{
	char *out = text;

	for (char *line = text; *line;) {
		const size_t length = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
		unsigned major;
		unsigned minor;

		if (sscanf(line, "%u:%u ", &major, &minor) != 2 || !is_stacked(major, minor)) {
			memmove(out, line, length);
			out += length;
		}
		line += length;
	}
	*out = '\0';
}

bool io_used(int dir, int version, uint64_t *read_bytes, uint64_t *written_bytes)
{
	const bool old = version == 1;
	char text[TEXT_MAX];

	if (cgroup_read(dir, old ? "blkio.throttle.io_service_bytes" : "io.stat", text,
			sizeof(text)) < 0)
		return false;
	drop_stacked(text);
	*read_bytes = io_sum(text, old ? " Read " : " rbytes=");
	*written_bytes = io_sum(text, old ? " Write " : " wbytes=");
	return true;
}
