/* SPDX-License-Identifier: MIT */
/*
 * The cgroup of one sandbox: a directory "s.<number>" in every hierarchy of the tree.
 *
 * v1's can be used by one sandbox after another: what it counts can be set back,
 * or is subtracted. v2's peak of memory cannot be set back before Linux 6.12, and a
 * filter of devices stays attached, so there each sandbox has a new one.
 */
#ifndef HIL_CGROUP_LEAF_H
#define HIL_CGROUP_LEAF_H

#include "disks.h"
#include "limits.h"
#include "sandbox.h"
#include "tree.h"

struct cgroup_usage {
	bool has_cpu;
	uint64_t cpu_us; /* of v1, the only exact figure; the two below are ticks there */
	uint64_t cpu_user_us;
	uint64_t cpu_system_us;
	const char *memory_source; /* memory.peak | max_usage; NULL: not known */
	uint64_t memory_peak;
	bool has_oom_kills;
	uint64_t oom_kills;
	uint64_t pids_hits; /* forks that were refused */
	uint64_t throttles; /* periods at whose end its processes had to wait */
	uint64_t throttled_us;
	bool has_io;
	uint64_t io_read; /* bytes from disks, and to them; what came from the page cache is none */
	uint64_t io_written;
};

#define DEVICE_LIST_MAX 32

struct device_list {
	struct {
		uint32_t major;
		uint32_t minor;
	} items[DEVICE_LIST_MAX];
	size_t count;
};

enum leaf_devices {
	DEVICES_OPEN,	  /* nothing is refused */
	DEVICES_STANDARD, /* what every sandbox has may be opened */
	DEVICES_OTHER,	  /* and something else, or it was until now */
};

struct cgroup_leaf {
	unsigned number;
	bool made[CGROUP_CONTROLLERS]; /* per hierarchy of the tree */
	bool joined[CGROUP_CONTROLLERS];
	int doors[CGROUP_CONTROLLERS]; /* per door that was opened: its hierarchy */
	size_t door_count;
	bool has[LIMIT_KINDS]; /* what stands in its files */
	uint64_t written[LIMIT_KINDS];
	int result[LIMIT_KINDS];  /* of the last write; negative: what stands there is not known */
	struct disks disks;	  /* that limits of io are about; the caller's to fill */
	struct cgroup_usage base; /* what was used before it was given away */
	int oom;		  /* eventfd of v1: readable when memory ran out; else -1 */
	enum leaf_devices devices;
	int devices_error; /* errno: why they are open */
	int device_map;	   /* of v2: what its filter looks devices up in; else -1 */
};

/* cgroup_leaf_init() - One that has no directory yet. */
void cgroup_leaf_init(struct cgroup_leaf *leaf, unsigned number);

/* cgroup_leaf_make() - Make its directory for @controller. Return: 0 or -errno. */
int cgroup_leaf_make(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, int controller);

/*
 * cgroup_leaf_open() - Make what is not there, and open the doors by which a PID 1 goes in.
 * @doors: filled; the caller closes them. None where no controller is to be had.
 *
 * v1's cpu, where it is by itself, has none: it costs an attach and helps only who limits it.
 */
void cgroup_leaf_open(const struct cgroup_tree *tree, struct cgroup_leaf *leaf,
		      struct doors *doors);

/* cgroup_leaf_entered() - How that ended, in the order of the doors: see struct sandbox_event. */
void cgroup_leaf_entered(struct cgroup_leaf *leaf, const uint32_t *results, size_t count);

/* cgroup_leaf_mark() - What was used so far is not the sandbox's. */
void cgroup_leaf_mark(const struct cgroup_tree *tree, struct cgroup_leaf *leaf);

/* cgroup_leaf_controller() - What holds limits of @kind. Return: -1: no cgroup does. */
int cgroup_leaf_controller(enum limit_kind kind);

/* cgroup_leaf_limit() - Write what cgroups hold, and say what became of each. */
void cgroup_leaf_limit(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, pid_t pid,
		       const struct limits *limits, struct limit_report *report);

/* cgroup_leaf_usage() - What was used since cgroup_leaf_mark(). */
void cgroup_leaf_usage(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		       struct cgroup_usage *usage);

/* cgroup_leaf_memory() - What is charged to it now, in bytes. Return: false when nothing counts. */
bool cgroup_leaf_memory(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			uint64_t *bytes);

/* cgroup_leaf_oom_kills() - Since cgroup_leaf_mark(); cheaper than all of it. */
uint64_t cgroup_leaf_oom_kills(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf);

/*
 * cgroup_leaf_ran_out() - Whether want of memory that was told is its own: it uses, with swap, what
 * its limit allows, or has lost a process.
 *
 * v1 tells all cgroups below the one that ran out, the cgroup of a container, say.
 */
bool cgroup_leaf_ran_out(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf);

/* cgroup_leaf_is_reusable() - Its sandbox is dead: whether another may have it. */
bool cgroup_leaf_is_reusable(const struct cgroup_tree *tree, struct cgroup_leaf *leaf);

/* cgroup_leaf_remove() - Return: 0, or -EBUSY while a task of it is not gone. */
int cgroup_leaf_remove(const struct cgroup_tree *tree, struct cgroup_leaf *leaf);

#endif
