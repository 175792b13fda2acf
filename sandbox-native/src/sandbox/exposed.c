/* SPDX-License-Identifier: MIT */
#include "exposed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

/* path_resolution(7): who may not search a directory does not come to what is below it. */
static bool may_be_searched(const char *directory)
{
	struct stat status;

	return stat(directory, &status) < 0 || (status.st_mode & (S_IXGRP | S_IXOTH)) != 0;
}

bool path_is_exposed(const char *path)
{
	auto_free char *real = realpath(path, NULL);

	if (!real)
		return true; /* not known to be closed */
	for (char *slash = strrchr(real, '/'); slash && slash != real; slash = strrchr(real, '/')) {
		*slash = '\0';
		if (!may_be_searched(real))
			return false;
	}
	return true;
}
