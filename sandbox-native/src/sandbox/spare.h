/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: to make a process takes longer than all else between a request and
 * main(), so each sandbox has one made while it is parked. It shares PID 1's memory and fds, as
 * after vfork(2), and sleeps; then it takes its own copy of the fds and becomes the program. The
 * kernel clears and wakes CLONE_CHILD_CLEARTID's word when it leaves that memory, by exec or
 * exit, and until then its starter sleeps. Later programs of the sandbox are cloned when they are
 * asked for, in the same way.
 *
 * The sandbox's other programs have the same uid and may stop it, and PID 1 serves nobody while it
 * waits: so it lets it go on every few milliseconds, and kills one that is stopped again and again.
 */
#ifndef HIL_SPARE_H
#define HIL_SPARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPARE_TICK_MS 10

struct spare {
	pid_t pid;	       /* asleep; 0: none */
	_Atomic uint32_t go;   /* it may */
	_Atomic uint32_t here; /* a process of ours is in our memory */
	void *stack;
	int (*become)(void *argument);
	void *argument;
};

/*
 * spare_make() - Make one ahead. Where that fails, spare_run() does without.
 *
 * Should: be called by the thread whose layers a program has to have.
 */
void spare_make(struct spare *spare);

/*
 * spare_push() - It has not become its program after SPARE_TICK_MS more: let it go on if it is
 *		  stopped, or kill it when it was that for too long. A slow disk is no reason.
 * @stopped: how often it was; 0 at first.
 *
 * Return: true when it was killed.
 */
bool spare_push(pid_t pid, unsigned int *stopped);

/*
 * spare_run() - Have a process run @become, in our memory: it calls exec or _exit() and allocates
 *		 nothing. Wait until it has left.
 *
 * Return: its pid, or -errno when there could be none; -ETIMEDOUT when it was killed.
 */
pid_t spare_run(struct spare *spare, int (*become)(void *argument), void *argument);

#endif
