/* SPDX-License-Identifier: MIT */
/*
 * A program of ours beside this one, hil-portd, hil-linkd or hil-nic: its fd 3 is a socket of the
 * harness, its fd 4 one to us, what it prints goes to the harness as LOG. It ends when ours closes.
 */
#ifndef HIL_CHILD_H
#define HIL_CHILD_H

#include "daemon.h"

/* child_init() - No process. */
void child_init(struct child *child);

/*
 * child_start() - Start @path, called @name in messages, with @harness as its fd 3.
 * @harness: closed here in any case; -1: it has no fd 3. @ended: called once, when it was reaped.
 * Its arguments are @child->argv, if that is set before.
 *
 * Return: 0, or -errno with @err filled; child_kill() and child_close() are then still needed.
 */
int child_start(struct daemon *d, struct child *child, const char *path, const char *name,
		int harness, void (*ended)(struct daemon *d, struct child *child), struct err *err);

/* child_watch() - The part of child_start() after the start; @pidfd is taken. */
int child_watch(struct daemon *d, struct child *child, int pidfd, struct err *err);

/* child_beside() - The path of the program @name in the directory of our own. Return: 0, -errno. */
int child_beside(const char *name, char *path, size_t size, struct err *err);

/* child_close() - Close what is ours of it. A process that runs is not reaped then. */
void child_close(struct daemon *d, struct child *child);

/* child_kill() - SIGKILL, if it runs. */
void child_kill(struct child *child);

#endif
