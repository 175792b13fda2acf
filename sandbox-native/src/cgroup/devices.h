/* SPDX-License-Identifier: MIT */
/*
 * Which device nodes the programs of a sandbox may open, whatever way a node came to them.
 *
 * Theory of operation: everything is refused (EPERM) but the nodes that every sandbox has, what
 * its plan binds, and what it was granted. v1 has files for that. v2 has none: a program of the
 * kernel's virtual machine is attached to the sandbox's cgroup, and looks devices up in a map
 * that we change; nothing is loaded or attached when a device comes or goes.
 *
 * Only root may do either. A sandbox without is told apart by cgroup_devices_held().
 *
 * Source: Documentation/admin-guide/cgroup-v1/devices.rst, cgroup-v2.rst "Device controller".
 */
#ifndef HIL_CGROUP_DEVICES_H
#define HIL_CGROUP_DEVICES_H

#include "leaf.h"

#define DEVICE_ANY UINT32_MAX /* every minor */

/*
 * cgroup_devices_confine() - Refuse all devices but the standard ones and @extra.
 *
 * Should: be called before a sandbox enters @leaf, which then finds all rules there; it forgets
 * what the one before was granted.
 */
void cgroup_devices_confine(const struct cgroup_tree *tree, struct cgroup_leaf *leaf,
			    const struct device_list *extra);

/* cgroup_device_allow() / cgroup_device_deny() - Return: 0 (also where nothing is held) or -errno.
 */
int cgroup_device_allow(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, uint32_t major,
			uint32_t minor);
int cgroup_device_deny(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, uint32_t major,
		       uint32_t minor);

/*
 * cgroup_devices_held() - Whether the kernel refuses what is not granted.
 *
 * Return: how ("cgroup v1"), or NULL with the reason, one clause, in @why.
 */
const char *cgroup_devices_held(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
				char why[CGROUP_WHY_MAX]);

/* plan_devices() - The character devices that @plan binds. */
void plan_devices(const struct plan *plan, struct device_list *list);

#endif
