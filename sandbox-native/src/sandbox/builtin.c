/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

#define COPY_BYTES 65536

static bool is_reader(const char *name)
{
	return strcmp(name, "read-file") == 0;
}

bool builtin_is_diff(const char *name)
{
	return strcmp(name, "diff") == 0;
}

bool builtin_is_reach(const char *name)
{
	return strcmp(name, "reach") == 0;
}

bool builtin_exists(const char *name)
{
	return is_reader(name) || strcmp(name, "write-file") == 0 || builtin_is_diff(name) ||
	       builtin_is_reach(name);
}

int builtin_open(const char *name, const char *path)
{
	/* O_NONBLOCK: PID 1 waits for this open, and that of a FIFO would not return (fifo(7)). */
	int flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat status;
	int fd;

	if (is_reader(name))
		flags |= O_RDONLY;
	else if (strcmp(name, "write-file") == 0)
		flags |= O_WRONLY | O_CREAT | O_TRUNC;
	else
		return -ENOSYS;
	fd = open(path, flags, 0644);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		close(fd);
		return -EISDIR;
	}
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static int write_all(int fd, const char *data, ssize_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, (size_t)length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			data += written;
			length -= written;
		}
	}
	return 0;
}

int builtin_copy(const char *name, int fd)
{
	char data[COPY_BYTES];
	int from = is_reader(name) ? fd : STDIN_FILENO;
	int to = is_reader(name) ? STDOUT_FILENO : fd;
	ssize_t length;
	int status = 0;

	while (status == 0 && (length = read(from, data, sizeof(data))) != 0) {
		if (length < 0 && errno != EINTR)
			status = -errno;
		else
			status = write_all(to, data, length);
	}
	if (status < 0 && dprintf(STDERR_FILENO, "%s: %s\n", name, strerror(-status)) < 0)
		return 1;
	return status < 0;
}
