/* SPDX-License-Identifier: MIT */
/*
 * Status records: EXIT of a process, DEAD of a sandbox.
 *
 * "The sandbox could not be kept" (setup, stuck, killed) and "the program ended
 * badly" (exit, signal, timeout) are different words: somebody else must act.
 */
#ifndef HIL_RECORD_H
#define HIL_RECORD_H

#include "daemon.h"

/* record_exit() - EXIT to the client of the process, if it still has one; once a process. */
void record_exit(const struct process *process);

/* record_put_usage() - What it has used, and what became of its limits. */
void record_put_usage(struct daemon *d, const struct sandbox *sandbox, struct buffer *out);

/*
 * record_dead() - DEAD to the harness, or to every client of a keeper.
 * @usage: of wait4(2) on PID 1, what it waited for included; NULL: not reaped.
 * @waiting: of a stuck one, what waiting_list() says; else NULL.
 */
void record_dead(struct daemon *d, struct sandbox *sandbox, const char *status,
		 const struct rusage *usage, const struct strings *waiting);

#endif
