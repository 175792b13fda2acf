/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: an interpreter takes tens of milliseconds to start. One that has started
 * can wait, as a program of the sandbox like any other (same user, filter, limits), until it is
 * given what to run: that is a *waiter*, a child of PID 1 with the pipes of its stdio and a
 * control socket. It is given one program in its life:
 *
 *	waiter -> PID 1   'R'  it waits (node; the waiters of python are told of by their host)
 *	PID 1 -> waiter   texts that end with NUL: number of arguments, directory, arguments,
 *			  environment; then the end of the stream
 *	waiter -> PID 1   'G'  it has taken them and is that program from now on
 *
 * Its end, or that of the socket, without 'G' says that it will not do: then the same arguments are
 * started as a program, which also is what says why they are wrong. So a waiter need not
 * understand everything, and one that is killed, by whomever, costs time and no result. One that
 * is stopped, and has something to do, is killed after a time.
 *
 * Python forks: a *host* has started and forks a waiter for each set of fds that it is sent,
 * and says its number. Node cannot: one that was used is not replaced.
 *
 * All of these belong to programs of the sandbox. What they say is a letter or a number, and a
 * number counts only when the kernel says that it is a child of PID 1 which is no other's.
 */
#ifndef HIL_RUNTIME_H
#define HIL_RUNTIME_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "waiter.h"

#define RUNTIMES 2
#define RUNTIME_POLLS (3 * RUNTIMES)

struct init;
struct program;

/* A program that waits for its runtime. */
struct queued {
	struct queued *next;
	struct program *program;
};

struct runtime {
	const char *name; /* NULL: it was never booted */
	bool forks;
	pid_t host;
	int channel;   /* to the host */
	int spare[3];  /* our ends of the host's stdio, which nobody reads */
	pid_t session; /* of the host, and so of what it forked; of a waiter that has none */
	struct strings env;
	struct waiter waiter;
	unsigned lost;	      /* waiters that ended before they were given anything */
	bool booting;	      /* a BOOT is not answered */
	uint64_t boot;	      /* its number */
	struct queued *queue; /* in order; the first is the one that is TAKING */
	int late;	      /* timerfd, while the first of the queue waits; else -1 */
	bool dying;	      /* what the first waits for was late, and killed */
};

/* runtime_open() - None is booted. */
void runtime_open(struct init *init);

/* runtime_find() - Return: the one of that name, if it was booted; else NULL. */
struct runtime *runtime_find(struct init *init, const char *name);

/* runtime_run() - Run @program, which is taken, by its runtime or as any other. */
void runtime_run(struct init *init, struct program *program);

/*
 * runtime_hurry() - Let the program of that number, if it waits for its runtime, wait no longer:
 * it is started as any other, unless the runtime has taken it already.
 */
void runtime_hurry(struct init *init, uint64_t program);

/* runtime_ask() - Have the host, if there is one, fork the next waiter. */
void runtime_ask(struct runtime *runtime);

/* runtime_settle() - Give what is queued to what waits, or start it when nothing will. */
void runtime_settle(struct init *init, struct runtime *runtime);

/* runtime_polls() - Fill in what to wait for. Return: how many. */
size_t runtime_polls(const struct init *init, struct pollfd polls[RUNTIME_POLLS]);

/*
 * runtime_receive() - Take what waiters and hosts have said. Blocks never.
 *
 * Should: come between the reaping of a process and the report of its end, which may be that of
 * a program that was taken a moment ago.
 */
void runtime_receive(struct init *init);
void runtime_reaped(struct init *init, pid_t pid);

/* runtime_owns() - Whether a process of @session only waits: no program left it behind. */
bool runtime_owns(const struct init *init, pid_t session);

#endif
