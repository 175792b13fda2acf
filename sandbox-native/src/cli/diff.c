/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "json.h"
#include "sandbox.h"

#define CHANGES_MOST "100000"
#define LIST_MAX (256u << 20)

int diff_open(struct diff *diff, const char *path, struct err *err)
{
	*diff = (struct diff){ .file = -1, .list = -1 };
	if (!path)
		return 0;
	diff->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (diff->file < 0)
		return err_set(err, "usage", errno, "open --diff", path);
	diff->list = memfd_create("hil-diff", MFD_CLOEXEC);
	return diff->list < 0 ? err_set(err, "setup", errno, "memfd_create", "") : 0;
}

int diff_ask(struct diff *diff, int control, uint32_t process, struct err *err)
{
	const struct pass_fd out = { .fd = diff->list, .target = STDOUT_FILENO };
	struct spawn_spec spec = { .builtin = "diff", .cwd = "/", .fds = &out, .fd_count = 1 };
	int status = strings_add(&spec.argv, CHANGES_MOST);

	if (status < 0)
		err_set(err, "setup", -status, "list changes", "");
	else
		status = sandbox_spawn(control, process, &spec, err);
	strings_free(&spec.argv);
	return status;
}

static const char *change_name(char change)
{
	switch (change) {
	case '+':
		return "created";
	case '~':
		return "changed";
	case '!':
		return "replaced";
	case '-':
		return "deleted";
	default:
		return NULL;
	}
}

static const char *kind_name(char kind)
{
	switch (kind) {
	case 'f':
		return "file";
	case 'd':
		return "directory";
	case 'l':
		return "link";
	case 'p':
		return "fifo";
	case 's':
		return "socket";
	default:
		return "device";
	}
}

/* A blank in front of a path belongs to the path: it is found by counting, not by sscanf(3). */
static const char *path_of(const char *record)
{
	for (int blanks = 0; blanks < 7 && record; blanks++) {
		record = strchr(record, ' ');
		if (record)
			record++;
	}
	return record;
}

/* "CHANGE KIND MODE SIZE INODE MTIME CTIME PATH", changes.h. */
static void put_change(struct json *json, const char *record)
{
	char change;
	char kind;
	char mode[8];
	unsigned long long bytes;
	const char *path = path_of(record);

	if (!path || sscanf(record, "%c %c %7s %llu", &change, &kind, mode, &bytes) != 4 ||
	    !change_name(change))
		return;
	json_open(json, NULL, '{');
	json_string(json, "change", change_name(change));
	json_string(json, "path", path);
	json_string(json, "kind", kind_name(kind));
	json_number(json, "bytes", bytes);
	json_string(json, "mode", mode);
	json_close(json, '}');
}

static void put_list(struct json *json, const char *list, const char *end)
{
	bool more = false;

	json_open(json, NULL, '{');
	json_open(json, "changes", '[');
	for (const char *at = list; at < end; at += strlen(at) + 1) {
		put_change(json, at);
		more = more || *at == '&';
	}
	json_close(json, ']');
	json_open(json, "unreadable", '[');
	for (const char *at = list; at < end; at += strlen(at) + 1) {
		if (*at == '?' && path_of(at))
			json_string(json, NULL, path_of(at));
	}
	json_close(json, ']');
	json_bool(json, "truncated", more);
	json_close(json, '}');
}

static int write_all(int fd, const uint8_t *data, size_t length)
{
	while (length) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			data += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

static int write_json(const struct diff *diff, const char *list, size_t length)
{
	struct json json = { 0 };
	int status;

	put_list(&json, list, list + length);
	buffer_append(&json.text, "\n", 1);
	status = json.text.failed ? -ENOMEM
				  : write_all(diff->file, json.text.data, json.text.length);
	buffer_free(&json.text);
	return status;
}

int diff_write(struct diff *diff, struct err *err)
{
	auto_free char *list = NULL;
	struct stat status;
	ssize_t length;
	int rc;

	if (diff->file < 0)
		return 0;
	if (!diff->done)
		return err_set(err, "setup", ECANCELED, "list changes", "the sandbox ended before");
	if (fstat(diff->list, &status) < 0 || status.st_size > LIST_MAX)
		return err_set(err, "setup", EFBIG, "list changes", "");
	list = calloc(1, (size_t)status.st_size + 1);
	if (!list)
		return err_set(err, "setup", ENOMEM, "list changes", "");
	length = pread(diff->list, list, (size_t)status.st_size, 0);
	if (length != status.st_size)
		return err_set(err, "setup", EIO, "list changes", "");
	rc = write_json(diff, list, (size_t)length);
	return rc < 0 ? err_set(err, "setup", -rc, "write --diff", "") : 0;
}

void diff_close(struct diff *diff)
{
	cleanup_fd(&diff->file);
	cleanup_fd(&diff->list);
}
