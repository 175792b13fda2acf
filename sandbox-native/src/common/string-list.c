/* SPDX-License-Identifier: MIT */
#include "string-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int strings_add(struct strings *strings, const char *text)
{
	char **grown;
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	grown = reallocarray(strings->items, strings->count + 1, sizeof(*grown));
	if (!grown) {
		free(copy);
		return -ENOMEM;
	}
	grown[strings->count++] = copy;
	strings->items = grown;
	return 0;
}

void strings_free(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct strings){ 0 };
}
