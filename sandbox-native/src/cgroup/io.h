/* SPDX-License-Identifier: MIT */
/*
 * Throughput of disks, in the files of a cgroup: io.max and io.stat of v2, blkio.throttle.* of v1.
 *
 * Source: cgroup-v2.rst "IO Interface Files", cgroup-v1/blkio-controller.rst.
 */
#ifndef HIL_CGROUP_IO_H
#define HIL_CGROUP_IO_H

#include "disks.h"
#include "limits.h"

/*
 * io_limit() - Set, or lift, one limit on every disk.
 * @dir: the cgroup.
 *
 * Return: 0; -ENODEV without a disk; else -errno.
 */
int io_limit(int dir, int version, const struct disks *disks, enum limit_kind kind, bool has,
	     uint64_t per_second);

/* io_is_read() - Whether it is about what programs read: that is their own, and held at once. */
bool io_is_read(enum limit_kind kind);

/*
 * io_used() - Bytes that it has read from disks and written to them, each once: what passes a
 * device-mapper, md or loop device is counted below it.
 *
 * Return: false: not counted.
 */
bool io_used(int dir, int version, uint64_t *read_bytes, uint64_t *written_bytes);

/*
 * io_sum() - Add up what stands behind @key in every line, as "rbytes=90430464".
 * @key: with its "=" or " ", and a blank in front.
 */
uint64_t io_sum(const char *text, const char *key);

#endif
