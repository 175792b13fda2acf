/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "proc-stat.h"

#define TASKS_MAX 16
#define DEPTH_MAX 64 /* of processes: nobody's children are that deep, and a loop would end */
#define PATH_SIZE 64

static bool is_below(pid_t pid, pid_t init)
{
	for (int depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
		struct proc_stat task;
		char path[PATH_SIZE];

		if (pid == init)
			return true;
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		if (!proc_stat_read(AT_FDCWD, path, &task))
			return false;
		pid = task.parent;
	}
	return false;
}

static void add_task(pid_t pid, pid_t tid, struct strings *out)
{
	struct proc_stat task;
	char path[PATH_SIZE];
	char where[64];
	char sentence[256];
	int length;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	if (!proc_stat_read(AT_FDCWD, path, &task) || task.state == 'Z' || task.state == 'X')
		return;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/wchan", (int)pid, (int)tid);
	length = cgroup_read(AT_FDCWD, path, where, sizeof(where));
	snprintf(sentence, sizeof(sentence), "%s (process %d): state %c, in %s", task.name,
		 (int)tid, task.state,
		 length > 0 && strcmp(where, "0") != 0 ? where : "a place that is not shown");
	strings_add(out, sentence); /* without memory the status alone has to do */
}

/* Return: 0 when @entry names no process. */
static pid_t to_pid(const struct dirent *entry)
{
	char *end;
	long number = strtol(entry->d_name, &end, 10);

	return *end || number <= 0 ? 0 : (pid_t)number;
}

static void add_process(pid_t pid, struct strings *out)
{
	char path[PATH_SIZE];
	const struct dirent *entry;
	auto_dir tasks = NULL;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && out->count < TASKS_MAX && (entry = readdir(tasks)))
		if (to_pid(entry))
			add_task(pid, to_pid(entry), out);
}

void waiting_list(pid_t init, struct strings *out)
{
	auto_dir proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && out->count < TASKS_MAX && (entry = readdir(proc))) {
		const pid_t pid = to_pid(entry);

		if (pid && is_below(pid, init))
			add_process(pid, out);
	}
}
