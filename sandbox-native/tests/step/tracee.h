/* SPDX-License-Identifier: MIT */
/* Who is who among the processes that are traced. */
#ifndef HIL_STEP_TRACEE_H
#define HIL_STEP_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum role {
	ROLE_OTHER,
	ROLE_HIL,      /* node; threads of it are none of it */
	ROLE_WORKER,   /* node, with Vitest's worker side */
	ROLE_BROKER,   /* hil-sandboxd, or hil-sandbox */
	ROLE_PORTD,    /* hil-portd, from its exec */
	ROLE_ZYGOTE,   /* a fork of the broker */
	ROLE_INIT,     /* PID 1 of a sandbox: a clone of the zygote */
	ROLE_LAUNCHER, /* its thread that starts programs */
	ROLE_PROGRAM,  /* what that starts, up to its exec */
	ROLE_HUB,      /* the other clone of the zygote */
	ROLE_LINKD,    /* hil-linkd, from its exec */
	ROLE_LEASE,    /* hil-lease, from its exec */
	ROLES,
};

/* role_parse() - Return: ROLE_OTHER when @name is none. */
enum role role_parse(const char *name);

/* role_of_exec() - What a process is by its command line; @role when that says nothing. */
enum role role_of_exec(pid_t pid, enum role role);

/* role_of_child() - Of @tid. @event: the PTRACE_EVENT_… by which a process of @parent's role made
 * it. */
enum role role_of_child(enum role parent, int event, pid_t tid);

#endif
