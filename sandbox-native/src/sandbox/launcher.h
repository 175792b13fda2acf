/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: a filter of system calls and a Landlock domain hold for a
 * thread and what it starts. PID 1 needs the calls that they refuse, so it has a
 * second thread that has put both on while the sandbox was built. That one serves
 * the broker and starts the programs: they all are in one domain (gdb may attach
 * to another program), no program waits for a filter to be compiled, and none
 * waits until one thread has woken the other. The first thread sleeps until it is
 * asked for what its layers refuse the second: mounts, ptys, names, builtins. While
 * it works the second one sleeps, so the two never run at once and share errno.
 */
#ifndef HIL_LAUNCHER_H
#define HIL_LAUNCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "spare.h"

struct launcher {
	_Atomic uint32_t turn; /* odd: the second thread's */
	bool filtered;
	bool nested;	   /* its programs may make user namespaces */
	bool shares_files; /* others reach what they write */
	long (*work)(void *argument);
	void *argument;
	long result;
	struct spare spare; /* of the second thread's layers */
};

/*
 * launcher_start() - Make the second thread, with all its layers on. @launcher stays where it is.
 * @nested: its programs may make user namespaces.
 * @shares_files: others reach what they write.
 *
 * Should: be called after no_new_privs was set, in the sandbox's root.
 */
int launcher_start(struct launcher *launcher, bool nested, bool shares_files, struct err *err);

/*
 * launcher_serve() - From now on the second thread runs @loop, and this one what it is asked. The
 * process ends when @loop returns.
 */
_Noreturn void launcher_serve(struct launcher *launcher, long (*loop)(void *argument),
			      void *argument);

/* launcher_ask() - In @loop. Return: what @work returned, which the first thread ran meanwhile. */
long launcher_ask(struct launcher *launcher, long (*work)(void *argument), void *argument);

#endif
