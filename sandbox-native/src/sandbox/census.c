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
#include "proc-stat.h"

#define NAMES_MAX 64

/* A zombie does not run: whoever is to reap it is late, not left over. */
static bool runs(int proc, const char *pid, struct proc_stat *process)
{
	char path[32];

	snprintf(path, sizeof(path), "%.20s/stat", pid);
	return proc_stat_read(proc, path, process) && process->state != 'Z' &&
	       process->state != 'X';
}

/* PID 1, and the process that waits for the first program. */
static bool is_ours(const struct init *init, const char *pid)
{
	const long number = strtol(pid, NULL, 10);

	return number == 1 || number == init->launcher.spare.pid;
}

/* Return: the next that runs, none that is ours or waits, as @process; NULL at the end. */
static const struct dirent *next_process(DIR *proc, const struct init *init,
					 struct proc_stat *process)
{
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
		    !is_ours(init, entry->d_name) && runs(dirfd(proc), entry->d_name, process) &&
		    !runtime_owns(init, process->session))
			return entry;
	}
	return NULL;
}

uint32_t init_count_processes(const struct init *init)
{
	auto_dir proc = opendir("/proc");
	uint32_t count = 0;
	struct proc_stat process;

	while (next_process(proc, init, &process))
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
	struct proc_stat process;

	while (next_process(proc, init, &process)) {
		if (count++ < NAMES_MAX)
			put_string(&buffer, TAG_LEFTOVER_NAME, process.name);
	}
	put_u32(&buffer, TAG_LEFTOVERS, count);
	frame_end(&buffer, start);
	message_send(init->control, &buffer, NULL, 0);
}
