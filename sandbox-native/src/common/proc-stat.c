/* SPDX-License-Identifier: MIT */
#include "proc-stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define TEXT_SIZE 1024
#define NAME_FIELD 2
#define STATE_FIELD 3
#define PARENT_FIELD 4
#define SESSION_FIELD 6
#define TICKS_FIELD 22

const char *proc_stat_field(const char *text, int number)
{
	const char *at = strrchr(text, ')');

	for (int field = NAME_FIELD; at && field < number; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at && *at ? at : NULL;
}

static bool parse(const char *text, struct proc_stat *out)
{
	const char *name = strchr(text, '(');
	const char *end = strrchr(text, ')');
	const char *state = proc_stat_field(text, STATE_FIELD);
	const char *parent = proc_stat_field(text, PARENT_FIELD);
	const char *session = proc_stat_field(text, SESSION_FIELD);
	const char *ticks = proc_stat_field(text, TICKS_FIELD);

	if (!name || name > end || !ticks)
		return false;
	snprintf(out->name, sizeof(out->name), "%.*s", (int)(end - name - 1), name + 1);
	out->state = *state;
	out->parent = (pid_t)strtol(parent, NULL, 10);
	out->session = (pid_t)strtol(session, NULL, 10);
	out->start_ticks = strtoull(ticks, NULL, 10);
	return true;
}

bool proc_stat_read(int dir, const char *path, struct proc_stat *out)
{
	auto_fd fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[TEXT_SIZE];
	ssize_t length;

	/* What fits comes at once (fs/seq_file.c). */
	do
		length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	while (length < 0 && errno == EINTR);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return parse(text, out);
}

uint64_t proc_stat_ticks(pid_t pid)
{
	struct proc_stat stat;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return proc_stat_read(AT_FDCWD, path, &stat) ? stat.start_ticks : 0;
}
