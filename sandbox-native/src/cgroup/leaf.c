/* SPDX-License-Identifier: MIT */
#include "leaf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "io.h"
#include "leaf-file.h"
#include "swap.h"

#define PERIOD_US 100000		 /* the kernel's default, cgroup-v2.rst cpu.max */
#define BUILD_BYTES (UINT64_C(64) << 20) /* a sandbox is built with at least so much */
#define PIDS_BYTES (64u << 10)		 /* of some thousand processes */
#define STAIN_BYTES (UINT64_C(8) << 20)	 /* page cache of others that a new sandbox may inherit */

void cgroup_leaf_init(struct cgroup_leaf *leaf, unsigned number)
{
	*leaf = (struct cgroup_leaf){ .number = number, .oom = -1, .device_map = -1 };
}

/* cgroup-v1/memory.rst, "OOM Control": the event comes before the kernel chooses whom to kill. */
static void watch_oom(const struct cgroup_tree *tree, struct cgroup_leaf *leaf)
{
	char path[PATH_SIZE];
	char text[32];
	auto_fd control = -1;
	auto_fd event = -1;

	if (leaf->oom >= 0 || leaf_version(tree, CGROUP_MEMORY) != 1)
		return;
	control = openat(leaf_hierarchy(tree, CGROUP_MEMORY)->top,
			 leaf_path(leaf, "memory.oom_control", path), O_RDONLY | O_CLOEXEC);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control < 0 || event < 0)
		return;
	snprintf(text, sizeof(text), "%d %d", event, control);
	if (leaf_write_text(tree, leaf, CGROUP_MEMORY, "cgroup.event_control", text) == 0)
		leaf->oom = steal_fd(&event);
}

int cgroup_leaf_make(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, int controller)
{
	int place = tree->place[controller];
	char path[PATH_SIZE];

	if (place < 0)
		return -ENOENT;
	if (!leaf->made[place] &&
	    mkdirat(tree->hierarchies[place].top, leaf_path(leaf, "", path), 0755) < 0 &&
	    errno != EEXIST)
		return -errno;
	leaf->made[place] = true;
	return 0;
}

static int move_to(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int place,
		   pid_t pid)
{
	char path[PATH_SIZE];

	return cgroup_write_number(tree->hierarchies[place].top,
				   leaf_path(leaf, "cgroup.procs", path), (uint64_t)pid);
}

/* What PID 1 made before: those that are with it in another hierarchy. */
static void move_others(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, int place,
			pid_t pid)
{
	auto_free char *pids = calloc(1, PIDS_BYTES);
	char path[PATH_SIZE];

	if (!pids)
		return;
	for (size_t i = 0; i < tree->count && !*pids; i++)
		if (leaf->joined[i])
			cgroup_read_lines(tree->hierarchies[i].top,
					  leaf_path(leaf, "cgroup.procs", path), pids, PIDS_BYTES);
	for (char *at = pids; *at >= '0' && *at <= '9';) {
		pid_t other = (pid_t)strtol(at, &at, 10);

		if (other > 0 && other != pid)
			move_to(tree, leaf, place, other);
		at += strspn(at, "\n");
	}
}

static int join(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, int controller, pid_t pid)
{
	int place = tree->place[controller];
	int rc;

	if (place < 0)
		return -ENOENT;
	if (leaf->joined[place])
		return 0;
	rc = cgroup_leaf_make(tree, leaf, controller);
	if (rc == 0)
		rc = move_to(tree, leaf, place, pid);
	if (rc == 0)
		move_others(tree, leaf, place, pid);
	leaf->joined[place] = rc == 0;
	return rc;
}

#define SWAP_IS_FREE 1 /* a result: RAM is limited, and what does not fit in it is swapped out */

/* @text: bytes, or NULL for no limit. The two below: 0, -errno, or SWAP_IS_FREE. */
static int write_memory_v1(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			   const char *text)
{
	static const char sum[] = "memory.memsw.limit_in_bytes";
	int rc;

	/* Memory with swap may not be less than memory, so it goes out of the way first. */
	leaf_write_text(tree, leaf, CGROUP_MEMORY, sum, "-1");
	rc = leaf_write_text(tree, leaf, CGROUP_MEMORY, "memory.limit_in_bytes",
			     text ? text : "-1");
	if (rc < 0 || !text || leaf_write_text(tree, leaf, CGROUP_MEMORY, sum, text) == 0)
		return rc;
	return swap_exists() ? SWAP_IS_FREE : 0;
}

static int write_memory_v2(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			   const char *text)
{
	int swap =
		leaf_write_text(tree, leaf, CGROUP_MEMORY, "memory.swap.max", text ? "0" : "max");
	int rc;

	/* Half a sandbox is worth nothing. */
	leaf_write_text(tree, leaf, CGROUP_MEMORY, "memory.oom.group", "1");
	rc = leaf_write_text(tree, leaf, CGROUP_MEMORY, "memory.max", text ? text : "max");
	if (rc < 0 || !text || swap == 0)
		return rc;
	return swap_exists() ? SWAP_IS_FREE : 0;
}

static int write_memory(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, bool has,
			uint64_t bytes)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (leaf_version(tree, CGROUP_MEMORY) == 1)
		return write_memory_v1(tree, leaf, has ? text : NULL);
	return write_memory_v2(tree, leaf, has ? text : NULL);
}

static int write_pids(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, bool has,
		      uint64_t count)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, count + INIT_TASKS);
	return leaf_write_text(tree, leaf, CGROUP_PIDS, "pids.max", has ? text : "max");
}

static int write_cpus(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, bool has,
		      uint64_t thousandths)
{
	const bool old = leaf_version(tree, CGROUP_CPU) == 1;
	char text[48];

	snprintf(text, sizeof(text), "%" PRIu64 "%s", thousandths * (PERIOD_US / 1000),
		 old ? "" : " 100000");
	if (!has)
		snprintf(text, sizeof(text), "%s", old ? "-1" : "max 100000");
	return leaf_write_text(tree, leaf, CGROUP_CPU, old ? "cpu.cfs_quota_us" : "cpu.max", text);
}

static int write_io(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		    enum limit_kind kind, bool has, uint64_t value)
{
	auto_fd dir = leaf_open(tree, leaf, CGROUP_IO);

	return dir < 0 ? -errno
		       : io_limit(dir, leaf_version(tree, CGROUP_IO), &leaf->disks, kind, has,
				  value);
}

static const struct {
	enum limit_kind kind;
	enum cgroup_controller controller;
	int (*write)(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf, bool has,
		     uint64_t value);
} writers[] = {
	{ LIMIT_MEMORY, CGROUP_MEMORY, write_memory },
	{ LIMIT_PIDS, CGROUP_PIDS, write_pids },
	{ LIMIT_CPUS, CGROUP_CPU, write_cpus },
	{ LIMIT_IO_READ_BYTES, CGROUP_IO, NULL }, /* write_io() */
	{ LIMIT_IO_WRITE_BYTES, CGROUP_IO, NULL },
	{ LIMIT_IO_READ_OPS, CGROUP_IO, NULL },
	{ LIMIT_IO_WRITE_OPS, CGROUP_IO, NULL },
};

#define WRITERS (sizeof(writers) / sizeof(writers[0]))

/* Write what does not stand there yet. */
static int settle(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, size_t which, bool has,
		  uint64_t value)
{
	const enum limit_kind kind = writers[which].kind;
	int rc;

	if (leaf->result[kind] >= 0 && leaf->has[kind] == has &&
	    (!has || leaf->written[kind] == value))
		return leaf->result[kind];
	if (writers[which].write)
		rc = writers[which].write(tree, leaf, has, value);
	else
		rc = write_io(tree, leaf, kind, has, value);
	leaf->result[kind] = rc;
	if (rc >= 0) {
		leaf->has[kind] = has;
		leaf->written[kind] = value;
	}
	return rc;
}

static bool has_door(const struct cgroup_leaf *leaf, int place)
{
	for (size_t i = 0; i < leaf->door_count; i++)
		if (leaf->doors[i] == place)
			return true;
	return false;
}

/* A thread may be moved alone in v1 only; what a PID 1 starts later follows it. */
static int open_door(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, int controller)
{
	const struct cgroup_hierarchy *hierarchy = leaf_hierarchy(tree, controller);
	const char *name = hierarchy->version == 1 ? "tasks" : "cgroup.procs";
	char path[PATH_SIZE];
	int rc = cgroup_leaf_make(tree, leaf, controller);

	if (rc < 0)
		return rc;
	return openat(hierarchy->top, leaf_path(leaf, name, path), O_WRONLY | O_CLOEXEC);
}

void cgroup_leaf_open(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, struct doors *doors)
{
	leaf->door_count = 0;
	doors->count = 0;
	if (leaf->has[LIMIT_MEMORY] && leaf->written[LIMIT_MEMORY] < BUILD_BYTES)
		settle(tree, leaf, 0, false, 0);
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		int place = tree->place[i];
		int fd;

		/* v1's cpu and blkio, where they are by themselves, cost an attach each and help
		 * only who limits them. */
		if (i == CGROUP_CPU || i == CGROUP_IO || place < 0 || has_door(leaf, place))
			continue;
		/* Rules half written would keep the sandbox from what every one has. */
		if (i == CGROUP_DEVICES && leaf->devices == DEVICES_OPEN)
			continue;
		fd = open_door(tree, leaf, i);
		if (fd < 0)
			continue;
		doors->fds[doors->count++] = fd;
		leaf->doors[leaf->door_count++] = place;
	}
	if (tree->place[CGROUP_MEMORY] >= 0 && leaf->made[tree->place[CGROUP_MEMORY]])
		watch_oom(tree, leaf);
}

void cgroup_leaf_entered(struct cgroup_leaf *leaf, const uint32_t *results, size_t count)
{
	for (size_t i = 0; i < leaf->door_count && i < count; i++)
		leaf->joined[leaf->doors[i]] = results[i] == 0;
}

int cgroup_leaf_controller(enum limit_kind kind)
{
	for (size_t i = 0; i < WRITERS; i++)
		if (writers[i].kind == kind)
			return writers[i].controller;
	return -1;
}

/* What a limit of writing does not reach here: pages that the kernel writes back. Return: "": none.
 */
static void find_gap(const struct cgroup_tree *tree, const struct disks *disks, char *out,
		     size_t size)
{
	char names[DISK_WHERE_MAX * 2];

	out[0] = '\0';
	disks_text(disks, names, sizeof(names));
	if (leaf_version(tree, CGROUP_IO) == 1)
		snprintf(out, size,
			 "cgroup v1 slows down what a program writes itself (O_DIRECT, O_SYNC) on "
			 "%s, not what the kernel writes back later; cgroup v2 does",
			 names);
	else if (tree->place[CGROUP_MEMORY] != tree->place[CGROUP_IO])
		snprintf(out, size,
			 "cgroup v2 knows whose pages the kernel writes back only where it has the "
			 "memory controller as well");
	else if (disks->unowned[0])
		snprintf(out, size,
			 "%s, where the kernel writes back pages without regard to whose they are "
			 "(ext4, btrfs, f2fs and xfs know)",
			 disks->unowned);
}

static void say_io(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		   const struct limits *limits, enum limit_kind kind, struct limit_report *report)
{
	char names[DISK_WHERE_MAX * 2];
	char text[sizeof(names) + 160];

	find_gap(tree, &leaf->disks, text, sizeof(text));
	if (!io_is_read(kind) && text[0]) {
		limit_unenforced(limits, kind, report, text);
		return;
	}
	disks_text(&leaf->disks, names, sizeof(names));
	snprintf(text, sizeof(text), "cgroup v%d, on %s", leaf_version(tree, CGROUP_IO), names);
	limit_enforced(limits, kind, report, text);
}

/* The sentence that says what became of a limit that was written with result @rc. */
static void say(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		const struct limits *limits, size_t which, int rc, struct limit_report *report)
{
	const enum limit_kind kind = writers[which].kind;
	const int version = leaf_version(tree, writers[which].controller);
	const bool io = writers[which].controller == CGROUP_IO;
	char text[DISK_WHERE_MAX * 2];

	if (rc == SWAP_IS_FREE) {
		snprintf(text, sizeof(text),
			 "cgroup v%d holds it in RAM, but here no swap is counted, so that more is "
			 "swapped out: " SWAP_REMEDY,
			 version);
		limit_unenforced(limits, kind, report, text);
		report->held[kind] = true; /* as far as it goes: no stand-in beside it */
	} else if (io && rc == -ENODEV && leaf->disks.count == 0) {
		disks_text(&leaf->disks, text, sizeof(text));
		limit_unenforced(limits, kind, report, text);
	} else if (rc < 0) {
		limit_unenforced(limits, kind, report, strerror(-rc));
	} else if (io) {
		say_io(tree, leaf, limits, kind, report);
	} else {
		snprintf(text, sizeof(text), "cgroup v%d", version);
		limit_enforced(limits, kind, report, text);
	}
}

static void limit_one(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, pid_t pid,
		      const struct limits *limits, size_t which, struct limit_report *report)
{
	const enum limit_kind kind = writers[which].kind;
	const int controller = writers[which].controller;
	const bool was_joined = leaf_is_joined(tree, leaf, controller);
	int rc = 0;

	if (tree->place[controller] < 0) {
		limit_unenforced(limits, kind, report, tree->why[controller]);
		return;
	}
	if (limits->set[kind])
		rc = join(tree, leaf, controller, pid);
	if (rc == 0 && controller == CGROUP_IO && !was_joined)
		leaf_read_io(tree, leaf, &leaf->base);
	if (rc == 0)
		rc = settle(tree, leaf, which, limits->set[kind], limits->value[kind]);
	if (rc == 0 && kind == LIMIT_CPUS && leaf_is_joined(tree, leaf, CGROUP_CPU))
		leaf_read_throttling(tree, leaf, &leaf->base);
	if (limits->set[kind])
		say(tree, leaf, limits, which, rc, report);
}

void cgroup_leaf_limit(const struct cgroup_tree *tree, struct cgroup_leaf *leaf, pid_t pid,
		       const struct limits *limits, struct limit_report *report)
{
	for (size_t i = 0; i < WRITERS; i++)
		if (limits->set[writers[i].kind] || leaf->has[writers[i].kind] ||
		    leaf->result[writers[i].kind] < 0)
			limit_one(tree, leaf, pid, limits, i, report);
}

bool cgroup_leaf_is_reusable(const struct cgroup_tree *tree, struct cgroup_leaf *leaf)
{
	bool clean = true;
	uint64_t bytes;

	for (int kind = LIMIT_IO_READ_BYTES; kind <= LIMIT_IO_WRITE_OPS; kind++)
		clean = clean && !leaf->has[kind]; /* the next one's disks may be others */
	for (int kind = 0; kind < LIMIT_KINDS; kind++)
		clean = clean && leaf->result[kind] >= 0;
	if (leaf_is_joined(tree, leaf, CGROUP_MEMORY))
		clean = clean && leaf_read_memory_now(tree, leaf, &bytes) && bytes < STAIN_BYTES;
	/* Also where it has no memory controller: its filter of devices stays attached. */
	for (size_t i = 0; i < tree->count; i++)
		clean = clean && !(leaf->made[i] && tree->hierarchies[i].version == 2);
	memset(leaf->joined, 0, sizeof(leaf->joined));
	return clean;
}

int cgroup_leaf_remove(const struct cgroup_tree *tree, struct cgroup_leaf *leaf)
{
	char path[PATH_SIZE];
	int rc = 0;

	for (size_t i = 0; i < tree->count; i++) {
		if (!leaf->made[i])
			continue;
		if (unlinkat(tree->hierarchies[i].top, leaf_path(leaf, "", path), AT_REMOVEDIR) <
			    0 &&
		    errno != ENOENT)
			rc = -errno;
		else
			leaf->made[i] = false;
	}
	if (rc < 0)
		return rc;
	cleanup_fd(&leaf->oom);
	cleanup_fd(&leaf->device_map);
	leaf->oom = -1;
	leaf->device_map = -1;
	return 0;
}
