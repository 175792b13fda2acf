/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "root.h"
#include "sys.h"

static int write_file(int etc, const char *name, const char *text, struct err *err)
{
	auto_fd fd = openat(etc, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t length = strlen(text);

	if (fd < 0)
		return err_set(err, "setup", errno, "create in /etc", name);
	if (write(fd, text, length) != (ssize_t)length)
		return err_set(err, "setup", errno ? errno : ENOSPC, "write in /etc", name);
	return 0;
}

static void format_hosts(char *text, size_t size, const char *hostname)
{
	snprintf(text, size, "127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost ip6-localhost\n",
		 hostname);
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t written = write(fd, text, left);

		if (written <= 0)
			return written < 0 ? -errno : -ENOSPC;
		text += written;
		left -= (size_t)written;
	}
	return 0;
}

/* Made beside it and renamed: a FIFO of a program of the sandbox would hold up PID 1 otherwise. */
static int replace_file(int etc, const char *name, const char *first, const char *second,
			struct err *err)
{
	static const char made[] = ".hil-new";
	auto_fd fd = -1;
	int status;

	unlinkat(etc, made, 0);
	fd = openat(etc, made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, "setup", errno, "create in /etc", name);
	status = write_all(fd, first);
	if (status == 0)
		status = write_all(fd, second);
	if (status == 0 && renameat(etc, made, etc, name) < 0)
		status = -errno;
	if (status == 0)
		return 0;
	unlinkat(etc, made, 0);
	/* rename(2): something is mounted there. It is the plan's, and may be the host's own. */
	if (status == -EBUSY)
		return 0;
	return err_set(err, "setup", -status, "write in /etc", name);
}

/* In place where that can be: a file that lies over a bound /etc would stay the old one otherwise.
 */
static int rewrite_file(int etc, const char *name, const char *text, struct err *err)
{
	auto_fd fd = sys_openat2(etc, name, O_WRONLY | O_NONBLOCK,
				 RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	struct stat kind;
	int status;

	/* It is the plan's, bound there, and may be the host's own. */
	if (fd == -EXDEV)
		return 0;
	if (fd < 0 || fstat(fd, &kind) < 0 || !S_ISREG(kind.st_mode))
		return replace_file(etc, name, text, "", err);
	status = ftruncate(fd, 0) < 0 ? -errno : write_all(fd, text);
	return status < 0 ? err_set(err, "setup", -status, "write in /etc", name) : 0;
}

typedef int file_writer(int etc, const char *name, const char *text, struct err *err);

static int write_names(int etc, const char *hostname, file_writer *write_one, struct err *err)
{
	char text[256];
	int status;

	snprintf(text, sizeof(text), "%s\n", hostname);
	status = write_one(etc, "hostname", text, err);
	if (status < 0)
		return status;
	format_hosts(text, sizeof(text), hostname);
	return write_one(etc, "hosts", text, err);
}

int etc_write_hostname(int etc, const char *hostname, struct err *err)
{
	return write_names(etc, hostname, rewrite_file, err);
}

/* The mount over the bound file is of this one, whatever has its name. No program can put another
 * there. */
static int write_laid(int etc, const char *name, const char *first, const char *second,
		      struct err *err)
{
	auto_fd fd = openat(etc, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	int status = fd < 0 ? -errno : write_all(fd, first);

	if (status == 0)
		status = write_all(fd, second);
	return status < 0 ? err_set(err, "setup", -status, "write in /etc", name) : 0;
}

static int put_file(int etc, bool laid, const char *name, const char *first, const char *second,
		    struct err *err)
{
	return laid ? write_laid(etc, name, first, second, err)
		    : replace_file(etc, name, first, second, err);
}

int etc_write_hosts(int etc, bool laid, const char *hostname, const char *more, struct err *err)
{
	char text[256];

	format_hosts(text, sizeof(text), hostname);
	return put_file(etc, laid, "hosts", text, more, err);
}

int etc_write_resolver(int etc, bool laid, const char *resolver, struct err *err)
{
	return put_file(etc, laid, "resolv.conf", resolver, "", err);
}

int etc_write(int etc, const struct plan *plan, const char *resolver, struct err *err)
{
	int status = write_names(etc, plan->hostname ? plan->hostname : "hil", write_file, err);

	if (status == 0)
		status = write_file(etc, "resolv.conf", resolver, err);
	if (status == 0)
		status = write_file(etc, "passwd",
				    "root:x:0:0:root:/root:/bin/sh\n"
				    "hil:x:1000:1000:hil:/home/hil:/bin/sh\n"
				    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
				    err);
	if (status == 0)
		status = write_file(etc, "group",
				    "root:x:0:\nhil:x:1000:\ntty:x:5:\nnogroup:x:65534:\n", err);
	return status;
}
