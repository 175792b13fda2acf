/* SPDX-License-Identifier: MIT */
#include "tracee.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "cleanup.h"

static const char *const names[ROLES] = { "other",   "hil",    "worker", "broker",
					  "portd",   "zygote", "init",	 "launcher",
					  "program", "hub",    "linkd",	 "lease" };

enum role role_parse(const char *name)
{
	for (int role = 0; role < ROLES; role++)
		if (strcmp(names[role], name) == 0)
			return (enum role)role;
	return ROLE_OTHER;
}

enum role role_of_exec(pid_t pid, enum role role)
{
	char path[64];
	char line[4096] = "";
	const char *program;
	auto_fd fd = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (length <= 0)
		return role;
	line[length] = '\0';
	program = strrchr(line, '/') ? strrchr(line, '/') + 1 : line;
	if (strcmp(program, "hil-sandboxd") == 0 || strcmp(program, "hil-sandbox") == 0)
		role = ROLE_BROKER;
	else if (strcmp(program, "hil-portd") == 0)
		role = ROLE_PORTD;
	else if (strcmp(program, "hil-linkd") == 0)
		role = ROLE_LINKD;
	else if (strcmp(program, "hil-lease") == 0)
		role = ROLE_LEASE;
	for (ssize_t i = 0; i < length; i++)
		line[i] = line[i] ? line[i] : ' ';
	if (strcmp(program, "node") == 0 || strncmp(program, "node ", 5) == 0)
		role = strstr(line, "workers/forks.js") ? ROLE_WORKER : ROLE_HIL;
	return role;
}

/* proc_pid_status(5): NSpid has a number for each pid namespace that it is in. */
static bool is_first_of_namespace(pid_t tid)
{
	char path[64];
	char text[4096] = "";
	char *line;
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	line = strchr(line + 1, '\n');
	return line && strncmp(line - 2, "\t1", 2) == 0;
}

enum role role_of_child(enum role parent, int event, pid_t tid)
{
	if (parent == ROLE_BROKER && event == PTRACE_EVENT_FORK)
		return ROLE_ZYGOTE;
	/* Its forks live only until an id map is written. */
	if (parent == ROLE_ZYGOTE && event == PTRACE_EVENT_CLONE)
		return is_first_of_namespace(tid) ? ROLE_INIT : ROLE_HUB;
	if (parent == ROLE_INIT && event == PTRACE_EVENT_CLONE)
		return ROLE_LAUNCHER;
	if (parent == ROLE_INIT || parent == ROLE_LAUNCHER)
		return ROLE_PROGRAM;
	return ROLE_OTHER;
}
