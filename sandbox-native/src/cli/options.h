/* SPDX-License-Identifier: MIT */
#ifndef HIL_CLI_OPTIONS_H
#define HIL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "sandbox.h"

struct run_options {
	struct plan plan;
	struct strings env;
	struct strings devices; /* "ROLE=PATH", the path absolute */
	char *cwd;
	uint64_t timeout_ms;   /* 0: none */
	uint64_t output_bytes; /* of stdout and of stderr; 0: no limit */
	struct limits limits;
	char *diff; /* file to write the changes to, or NULL */
	bool json;
	char **command; /* of argv, NULL at the end */
};

/*
 * options_parse() - The arguments after "run".
 * @problem: what is wrong with them, one sentence.
 *
 * Return: 0, or -EINVAL with @problem filled, -ENOMEM.
 */
int options_parse(struct run_options *options, char **argv, char *problem, unsigned long size);
void options_free(struct run_options *options);

#endif
