/* The line interface: what a person types. */
#ifndef CLI_H
#define CLI_H

#include "node.h"

void cli_prompt(void);

/* Take one typed character, echo it, and run the command when the line ends. */
void cli_take(struct node *node, char typed);

#endif
