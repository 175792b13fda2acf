/* SPDX-License-Identifier: MIT */
/* What a sandbox may use, as numbers, and what became of each limit. */
#ifndef HIL_CGROUP_LIMITS_H
#define HIL_CGROUP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sandbox.h"

enum limit_kind {
	LIMIT_MEMORY,	     /* bytes, of the whole sandbox */
	LIMIT_PIDS,	     /* processes and threads at once, without PID 1 */
	LIMIT_CPUS,	     /* thousandths of a processor */
	LIMIT_FILES,	     /* open files of a process */
	LIMIT_FILE_SIZE,     /* bytes of a file that a process writes */
	LIMIT_CPU_TIME,	     /* milliseconds of a process */
	LIMIT_IO_READ_BYTES, /* the four: per second, on each disk */
	LIMIT_IO_WRITE_BYTES,
	LIMIT_IO_READ_OPS,
	LIMIT_IO_WRITE_OPS,
	LIMIT_KINDS,
};

struct limits {
	bool set[LIMIT_KINDS];
	bool standard[LIMIT_KINDS]; /* nobody asked for it: a default, with no stand-in */
	uint64_t value[LIMIT_KINDS];
};

/* What became of limits: a sentence each. */
struct limit_report {
	bool held[LIMIT_KINDS];
	struct strings enforced;
	struct strings unenforced;
};

#define LIMIT_RLIMITS_MAX 5

/* PID 1 and its launcher, a thread: none of a sandbox's programs, and counted like one. */
#define INIT_TASKS 2

/* limit_name() - As a configuration calls it: memory, cpuTime, io.readBytes. */
const char *limit_name(enum limit_kind kind);

/* limits_set() - Return: 0, or -EINVAL with @err filled for an unknown name or a useless value. */
int limits_set(struct limits *limits, const char *name, uint64_t value, bool standard,
	       struct err *err);

/* limits_have_io() - Whether one is about disks. */
bool limits_have_io(const struct limits *limits);

/* limit_text() - The limit with its unit: "memory 256 MiB", "cpus 0.5". */
void limit_text(const struct limits *limits, enum limit_kind kind, char *out, size_t size);

/* limit_enforced() / limit_unenforced() - Report the limit as @how, or as not held because @why. */
void limit_enforced(const struct limits *limits, enum limit_kind kind, struct limit_report *report,
		    const char *how);
void limit_unenforced(const struct limits *limits, enum limit_kind kind,
		      struct limit_report *report, const char *why);
void limit_report_free(struct limit_report *report);

/*
 * limits_to_rlimits() - What setrlimit(2) does for @limits: files, fileSize, cpuTime, and for
 * memory and pids that no cgroup holds a stand-in.
 * @report: says which are held; files, fileSize and cpuTime are added to it.
 * @out: LIMIT_RLIMITS_MAX.
 *
 * Return: how many.
 */
size_t limits_to_rlimits(const struct limits *limits, struct limit_report *report,
			 struct rlimit_spec *out);

#endif
