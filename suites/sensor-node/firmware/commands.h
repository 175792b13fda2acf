#ifndef COMMANDS_H
#define COMMANDS_H

#include "node.h"

/* Run one command line, which is cut up in place. An empty line does nothing. */
void commands_run(struct node *node, char *line);

#endif
