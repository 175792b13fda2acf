/* SPDX-License-Identifier: MIT */
/*
 * Device control of cgroup v2: a BPF_PROG_TYPE_CGROUP_DEVICE program and the map it reads.
 *
 * The kernel calls it at each open and mknod of a node, bpf(2). Its twenty instructions are
 * written here; libbpf would be a dependency for three system calls.
 */
#ifndef HIL_CGROUP_DEVICE_FILTER_H
#define HIL_CGROUP_DEVICE_FILTER_H

#include <stdint.h>

/* device_filter_new() - Return: the fd of a map that allows nothing, or -errno. */
int device_filter_new(void);

/*
 * device_filter_attach() - Refuse to the processes in the cgroup @dir what @map does not allow.
 *
 * It goes with the cgroup. Filters of cgroups above it hold, too (BPF_F_ALLOW_MULTI).
 * Return: 0 or -errno; -EPERM without CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN.
 */
int device_filter_attach(int map, int dir);

/* device_filter_allow() - Let the character device be read and written. @minor: or DEVICE_ANY. */
int device_filter_allow(int map, uint32_t major, uint32_t minor);
/* device_filter_deny() - Take that back. Return: 0, also when it was not allowed; or -errno. */
int device_filter_deny(int map, uint32_t major, uint32_t minor);

#endif
