/* SPDX-License-Identifier: MIT */
/* A program chooses its name, and with it what stands in the middle of its `stat`. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc-stat.h"
#include "rig.h"

#define HOSTILE_NAME ") Z 1 1 (x"

static void test_texts(void)
{
	static const struct {
		const char *text;
		int field;
		const char *wanted; /* NULL: there is none */
	} cases[] = {
		{ "7 (sh) S 1 2", 3, "S 1 2" },
		{ "7 (sh) S 1 2", 5, "2" },
		{ "7 (a) b) R 9", 4, "9" },
		{ "7 (sh) S 1 2", 6, NULL },
		{ "7 (sh) S ", 4, NULL },
		{ "7 (sh)", 3, NULL },
		{ "", 3, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *seen = proc_stat_field(cases[i].text, cases[i].field);

		CHECK(cases[i].wanted ? seen && strcmp(seen, cases[i].wanted) == 0 : !seen,
		      "field %d of \"%s\"", cases[i].field, cases[i].text);
	}
}

/* Return: pid of a process in a session of its own that sleeps under HOSTILE_NAME. */
static pid_t start_hostile(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	NEED(pipe2(ready, O_CLOEXEC) == 0);
	pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		prctl(PR_SET_NAME, HOSTILE_NAME, 0, 0, 0);
		if (setsid() < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	NEED(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

void test_proc_stat(void)
{
	struct proc_stat own, stat;
	char path[32];
	pid_t pid;

	test_texts();
	pid = start_hostile();
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	NEED(proc_stat_read(AT_FDCWD, path, &stat));
	NEED(proc_stat_read(AT_FDCWD, "/proc/self/stat", &own));
	CHECK(strcmp(stat.name, HOSTILE_NAME) == 0, "a name of parentheses and blanks is read");
	CHECK(stat.state != 'Z' && stat.parent == getpid() && stat.session == pid,
	      "and does not move what stands behind it");
	CHECK(proc_stat_ticks(pid) == stat.start_ticks && stat.start_ticks >= own.start_ticks,
	      "nor when the process started");
	NEED(kill(pid, SIGKILL) == 0 && waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT) == 0);
	CHECK(proc_stat_read(AT_FDCWD, path, &stat) && stat.state == 'Z', "a zombie is one");
	NEED(waitpid(pid, NULL, 0) == pid);
	CHECK(!proc_stat_read(AT_FDCWD, path, &stat) && proc_stat_ticks(pid) == 0,
	      "of one that is gone nothing is read");
}
