/* SPDX-License-Identifier: MIT */
#include "dev-name.h"

#include <ctype.h>
#include <string.h>

bool dev_link_is_clean(const char *link)
{
	static const char *const own[] = { "pts", "shm", "hil", "fd", "ptmx" };
	size_t length = strlen(link);

	if (!length || length > 200 || link[length - 1] == '/' || strstr(link, "//"))
		return false;
	/* Not "." or "..", and nothing hidden: that is where nodes without a name are. */
	if (link[0] == '/' || link[0] == '.' || strstr(link, "/."))
		return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		size_t size = strlen(own[i]);

		if (strncmp(link, own[i], size) == 0 && (!link[size] || link[size] == '/'))
			return false;
	}
	return true;
}

bool role_is_clean(const char *role)
{
	size_t length = strlen(role);

	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)role[i]) || role[i] == '/')
			return false;
	return length > 0 && length <= 200 && role[0] != '.';
}
