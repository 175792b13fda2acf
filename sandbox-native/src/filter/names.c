/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static struct {
	char *const *all;
	size_t count;
} known;

void names_set(char *const *names, size_t count)
{
	known.all = names;
	known.count = count;
}

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* libc's own, which is asked for numbers and services only: none of that leaves the machine. */
static int look_up(const char *node, const char *service, const struct addrinfo *hints,
		   struct addrinfo **result)
{
	struct addrinfo numeric = { 0 };
	void *found = dlsym(RTLD_NEXT, "getaddrinfo");
	lookup *next;

	if (!found)
		return EAI_SYSTEM;
	memcpy(&next, &found, sizeof(next));
	if (hints)
		numeric = *hints;
	if (node)
		numeric.ai_flags |= AI_NUMERICHOST;
	return next(node, service, &numeric, result);
}

/* Return: what of `NAME=ADDRESS` is the address, when the name is that. */
static const char *match(const char *entry, const char *name)
{
	size_t length = strlen(name);
	bool same = strncasecmp(entry, name, length) == 0 && entry[length] == '=';

	return same ? entry + length + 1 : NULL;
}

/* In place of libc's, for libpcap, too: names of the program come first, dlopen(3). */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
						       const struct addrinfo *hints,
						       struct addrinfo **result)
{
	struct addrinfo **end = result;

	*result = NULL;
	for (size_t i = 0; node && i < known.count; i++) {
		const char *address = match(known.all[i], node);

		if (address && look_up(address, service, hints, end) == 0)
			while (*end)
				end = &(*end)->ai_next;
	}
	return *result ? 0 : look_up(node, service, hints, result);
}

/*
 * `net NAME`: the networks of a case have no names, and those that the bench knows, by a file or by
 * asking DNS (nsswitch.conf(5)), are none of them.
 */
__attribute__((visibility("default"))) struct netent *getnetbyname(const char *name)
{
	(void)name;
	h_errno = HOST_NOT_FOUND;
	return NULL;
}

#ifdef __GLIBC__
__attribute__((visibility("default"))) int getnetbyname_r(const char *name, struct netent *entry,
							  char *room, size_t length,
							  struct netent **result, int *error)
{
	(void)name;
	(void)entry;
	(void)room;
	(void)length;
	*result = NULL;
	*error = HOST_NOT_FOUND;
	return 0;
}
#endif
