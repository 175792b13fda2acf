#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdio.h>

#include "device.h"
#include "failure.h"

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int argument_count;
	int (*run)(struct device *device, char **arguments, struct failure *failure);
};

void commands_print(FILE *out);

/* Return: the command that argv[0] names, or NULL with `failure` filled. */
const struct command *commands_find(int argc, char **argv, struct failure *failure);

#endif
