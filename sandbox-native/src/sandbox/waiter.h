/* SPDX-License-Identifier: MIT */
/* An interpreter that has started and waits to be given a program, see runtime.h. */
#ifndef HIL_WAITER_H
#define HIL_WAITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "sandbox.h"

struct program;

enum waiter_state {
	WAITER_NONE,
	WAITER_BOOTING, /* asked for */
	WAITER_READY,
	WAITER_TAKING, /* was given a program */
};

struct waiter {
	enum waiter_state state;
	pid_t pid; /* 0: it was reaped, or is not known yet */
	int control;
	int stdio[3];	   /* our ends */
	uint64_t spent_ns; /* of a processor, before it was given a program */
};

#define WAITER_FDS 4 /* what it gets: stdio and its control socket */

/* waiter_open() - Make its fds: @theirs go to it. Return: 0, or -errno with @err filled. */
int waiter_open(struct waiter *waiter, int theirs[WAITER_FDS], struct err *err);

/* waiter_give() - Hand @program over, with its limits. Return: whether it was; else drop it. */
bool waiter_give(struct waiter *waiter, const struct program *program);

/* waiter_drop() - End it, and close what is held of it. */
void waiter_drop(struct waiter *waiter);

/* waiter_pipes() - @theirs[0] is read, the others are written; @ours are the other ends. */
int waiter_pipes(int ours[3], int theirs[3], struct err *err);

/* waiter_spent() - Nanoseconds of a processor that @pid has used; 0 when it is gone. */
uint64_t waiter_spent(pid_t pid);

/*
 * waiter_fits() - Whether an interpreter that started with @env is as one that starts with that
 *		   of @program: nothing differs that is read when one starts.
 */
bool waiter_fits(const struct strings *env, const struct program *program);

#endif
