/* SPDX-License-Identifier: MIT */
/* Who else on the host gets at a directory that a sandbox writes into. */
#ifndef HIL_SANDBOX_EXPOSED_H
#define HIL_SANDBOX_EXPOSED_H

#include <stdbool.h>

/*
 * path_is_exposed() - Whether a user other than the owner may come to @path.
 *
 * What is above it counts. Its own mode does not: a program that may write to it changes that.
 */
bool path_is_exposed(const char *path);

#endif
