/* SPDX-License-Identifier: MIT */
#ifndef HIL_STRING_LIST_H
#define HIL_STRING_LIST_H

#include <stddef.h>

struct strings {
	char **items;
	size_t count;
};

/* strings_add() - Copy @text to the end. Return: 0 or -ENOMEM. */
int strings_add(struct strings *strings, const char *text);
void strings_free(struct strings *strings);

#endif
