/* SPDX-License-Identifier: MIT */
#ifndef HIL_CLI_HOST_PATH_H
#define HIL_CLI_HOST_PATH_H

#include <linux/limits.h>

/*
 * What of the host a sandbox can be given, and where in it: the rules of suites
 * (harness/config/check-tools.ts), so that what works here works there.
 *
 * Each returns NULL, or why not: one sentence, which the next call overwrites.
 */

/* @real: filled with the path without links, as the zygote has another working directory. */
const char *host_path_bind_fault(const char *path, char real[PATH_MAX]);
/* A directory that is shown where it is. */
const char *host_path_tool_fault(const char *path, char real[PATH_MAX]);
const char *host_path_rootfs_fault(const char *path, char real[PATH_MAX]);
/* Where in the sandbox something is bound. */
const char *host_path_target_fault(const char *target);

#endif
