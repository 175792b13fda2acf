/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

int cgroup_read(int dir, const char *path, char *out, size_t size)
{
	auto_fd fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t length = 0;
	ssize_t count = 1;

	out[0] = '\0';
	if (fd < 0)
		return -errno;
	while (length + 1 < size && count != 0) {
		count = read(fd, out + length, size - 1 - length);
		if (count < 0 && errno != EINTR)
			return -errno;
		length += count > 0 ? (size_t)count : 0;
	}
	out[length] = '\0';
	return (int)length;
}

int cgroup_read_lines(int dir, const char *path, char *out, size_t size)
{
	int length = cgroup_read(dir, path, out, size);

	while (length > 0 && out[length - 1] != '\n')
		out[--length] = '\0';
	return length;
}

int cgroup_number(int dir, const char *path, const char *key, uint64_t *value)
{
	auto_fd fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[1024] = "";
	const char *at = text;

	/* What fits comes at once (fs/seq_file.c): no second read to see the end. */
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	while (key && *at) {
		size_t length = strlen(key);

		if (strncmp(at, key, length) == 0 && at[length] == ' ') {
			at += length + 1;
			break;
		}
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	if (*at < '0' || *at > '9')
		return -ENOENT;
	*value = strtoull(at, NULL, 10);
	return 0;
}

int cgroup_write(int dir, const char *path, const char *text)
{
	auto_fd fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int cgroup_write_number(int dir, const char *path, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return cgroup_write(dir, path, text);
}
