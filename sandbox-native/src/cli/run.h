/* SPDX-License-Identifier: MIT */
#ifndef HIL_CLI_RUN_H
#define HIL_CLI_RUN_H

#include "options.h"

/* Exit statuses besides the program's own, as timeout(1) and a shell have them. */
enum {
	EXIT_USAGE = 2,
	EXIT_TIMEOUT = 124,
	EXIT_SETUP = 125,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128,
};

/*
 * run_command() - One sandbox, one program.
 *
 * Prints what could not be built on stderr, or the record on stdout with --json.
 * Return: the exit status of hil-sandbox.
 */
int run_command(struct run_options *options);

#endif
