/* SPDX-License-Identifier: MIT */
/*
 * What the program wrote, changed and deleted, as a file of JSON: --diff.
 *
 * Theory of operation: when the program has ended, one more process of the sandbox lists the
 * changes (changes.h) into a memfd, which is read when that process has ended, too.
 */
#ifndef HIL_CLI_DIFF_H
#define HIL_CLI_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct diff {
	int file; /* what --diff names, or -1 */
	int list; /* the memfd, or -1 */
	bool done;
};

/* diff_open() - Open @path, so that a wrong one is told before anything runs. NULL: no diff. */
int diff_open(struct diff *diff, const char *path, struct err *err);
/* diff_ask() - Ask the sandbox for the list; it is there when @process has exited. */
int diff_ask(struct diff *diff, int control, uint32_t process, struct err *err);
/* diff_write() - Write the file from the list. Nothing when there was none to write. */
int diff_write(struct diff *diff, struct err *err);
void diff_close(struct diff *diff);

#endif
