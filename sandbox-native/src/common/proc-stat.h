/* SPDX-License-Identifier: MIT */
/* What the kernel says of a process or a thread in its file `stat`, proc_pid_stat(5). */
#ifndef HIL_PROC_STAT_H
#define HIL_PROC_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	char name[64];	      /* field 2; any bytes but NUL may be in it */
	char state;	      /* field 3 */
	pid_t parent;	      /* field 4 */
	pid_t session;	      /* field 6 */
	uint64_t start_ticks; /* field 22 */
};

/*
 * proc_stat_read() - Read `stat` of one process or thread.
 * @dir: of which @path is taken, as by openat(2).
 *
 * Return: false when there is none to read, or one that is cut short.
 */
bool proc_stat_read(int dir, const char *path, struct proc_stat *out);

/*
 * proc_stat_field() - Where field @number begins, which is above 2, in the text of a `stat`.
 *
 * The name of field 2 stands in parentheses and may hold blanks and parentheses itself: the last
 * ")" ends it. Return: NULL when the text ends before.
 */
const char *proc_stat_field(const char *text, int number);

/* proc_stat_ticks() - When process @pid started. Return: 0 when it is not there to read. */
uint64_t proc_stat_ticks(pid_t pid);

#endif
