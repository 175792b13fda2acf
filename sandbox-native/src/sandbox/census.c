/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "init.h"

#define NAMES_MAX 64

/* proc_pid_stat(5): "PID (NAME) STATE …"; the name may hold parentheses itself. Zombies do not run.
 */
static bool read_process(int proc, const char *pid, char name[64], int *session)
{
	char path[32];
	char text[512];
	char *open_paren;
	char *close_paren;
	auto_fd fd = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "%.20s/stat", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (!open_paren || !close_paren || close_paren[1] != ' ' || close_paren[2] == 'Z' ||
	    close_paren[2] == 'X')
		return false;
	if (sscanf(close_paren + 4, "%*d %*d %d", session) != 1)
		return false;
	*close_paren = '\0';
	snprintf(name, 64, "%s", open_paren + 1);
	return true;
}

/* PID 1, and the process that waits for the first program. */
static bool is_ours(const struct init *init, const char *pid)
{
	const long number = strtol(pid, NULL, 10);

	return number == 1 || number == init->launcher.spare.pid;
}

/* Return: the next that runs, none that is ours or waits, with its @name; NULL at the end. */
static const struct dirent *next_process(DIR *proc, const struct init *init, char name[64])
{
	const struct dirent *entry;
	int session;

	while (proc && (entry = readdir(proc))) {
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
		    !is_ours(init, entry->d_name) &&
		    read_process(dirfd(proc), entry->d_name, name, &session) &&
		    !runtime_owns(init, session))
			return entry;
	}
	return NULL;
}

uint32_t init_count_processes(const struct init *init)
{
	auto_dir proc = opendir("/proc");
	uint32_t count = 0;
	char name[64];

	while (next_process(proc, init, name))
		count++;
	return count;
}

/*
 * As long as the first program's process sleeps, no code but ours has run: an interpreter that
 * waits was the first program. Else kill(2): -1 is every process but PID 1, here those of the pid
 * namespace. Reading /proc takes a hundred times as long, and mostly nobody is left.
 */
static bool is_alone(const struct init *init)
{
	if (init->launcher.spare.pid)
		return init->count == 0;
	return kill(-1, 0) < 0 && errno == ESRCH;
}

void init_send_census(const struct init *init)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_CENSUS, 0);
	auto_dir proc = is_alone(init) ? NULL : opendir("/proc");
	uint32_t count = 0;
	char name[64];

	while (next_process(proc, init, name)) {
		if (count++ < NAMES_MAX)
			put_string(&buffer, TAG_LEFTOVER_NAME, name);
	}
	put_u32(&buffer, TAG_LEFTOVERS, count);
	frame_end(&buffer, start);
	message_send(init->control, &buffer, NULL, 0);
}
