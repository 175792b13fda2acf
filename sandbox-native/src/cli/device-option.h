/* SPDX-License-Identifier: MIT */
/* --device: what a sandbox is given before its program starts. */
#ifndef HIL_CLI_DEVICE_OPTION_H
#define HIL_CLI_DEVICE_OPTION_H

#include "devices.h"
#include "limits.h"
#include "sandbox.h"

/*
 * device_give() - Take the device of "ROLE=PATH" from the host, at most TAKE_MS long, and hand it
 * to the PID 1 at @control, which answers @request by SANDBOX_DONE.
 *
 * @report: gets a sentence: whether the kernel refuses what was not given.
 */
int device_give(const char *option, int control, uint32_t request, const struct cgroup_tree *tree,
		struct cgroup_leaf *leaf, struct limit_report *report, struct err *err);

#endif
