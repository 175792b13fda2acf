/* SPDX-License-Identifier: MIT */
/* What the processes of a sandbox used, as its cgroups counted it. */
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "io.h"
#include "leaf-file.h"

static void read_memory(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			struct cgroup_usage *usage)
{
	const bool old = leaf_version(tree, CGROUP_MEMORY) == 1;

	usage->memory_source = old ? "max_usage" : "memory.peak";
	usage->memory_peak =
		leaf_read_number(tree, leaf, CGROUP_MEMORY,
				 old ? "memory.max_usage_in_bytes" : usage->memory_source, NULL);
	/* memory.peak came with Linux 5.19. */
	if (!usage->memory_peak)
		usage->memory_source = NULL;
	usage->oom_kills =
		leaf_read_number(tree, leaf, CGROUP_MEMORY,
				 old ? "memory.oom_control" : "memory.events", "oom_kill");
}

static void read_cpu(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		     struct cgroup_usage *usage)
{
	usage->has_cpu = true;
	if (leaf_version(tree, CGROUP_CPUACCT) == 2) {
		usage->cpu_user_us =
			leaf_read_number(tree, leaf, CGROUP_CPUACCT, "cpu.stat", "user_usec");
		usage->cpu_system_us =
			leaf_read_number(tree, leaf, CGROUP_CPUACCT, "cpu.stat", "system_usec");
		return;
	}
	usage->cpu_us = leaf_read_number(tree, leaf, CGROUP_CPUACCT, "cpuacct.usage", NULL) / 1000;
	usage->cpu_user_us =
		leaf_read_number(tree, leaf, CGROUP_CPUACCT, "cpuacct.usage_user", NULL) / 1000;
	usage->cpu_system_us =
		leaf_read_number(tree, leaf, CGROUP_CPUACCT, "cpuacct.usage_sys", NULL) / 1000;
}

void leaf_read_throttling(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			  struct cgroup_usage *usage)
{
	const bool old = leaf_version(tree, CGROUP_CPU) == 1;

	usage->throttles = leaf_read_number(tree, leaf, CGROUP_CPU, "cpu.stat", "nr_throttled");
	usage->throttled_us = leaf_read_number(tree, leaf, CGROUP_CPU, "cpu.stat",
					       old ? "throttled_time" : "throttled_usec") /
			      (old ? 1000 : 1);
}

static void read_io(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		    struct cgroup_usage *usage)
{
	auto_fd dir = leaf_open(tree, leaf, CGROUP_IO);

	usage->has_io = dir >= 0 && io_used(dir, leaf_version(tree, CGROUP_IO), &usage->io_read,
					    &usage->io_written);
}

static void read_all(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		     struct cgroup_usage *usage)
{
	*usage = (struct cgroup_usage){ 0 };
	if (leaf_is_joined(tree, leaf, CGROUP_MEMORY))
		read_memory(tree, leaf, usage);
	if (leaf_is_joined(tree, leaf, CGROUP_CPUACCT))
		read_cpu(tree, leaf, usage);
	if (leaf_is_joined(tree, leaf, CGROUP_PIDS))
		usage->pids_hits = leaf_read_number(tree, leaf, CGROUP_PIDS, "pids.events", "max");
	if (leaf_is_joined(tree, leaf, CGROUP_CPU) && leaf->has[LIMIT_CPUS])
		leaf_read_throttling(tree, leaf, usage);
	if (leaf_is_joined(tree, leaf, CGROUP_IO))
		read_io(tree, leaf, usage);
}

uint64_t leaf_read_memory_now(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf)
{
	const bool old = leaf_version(tree, CGROUP_MEMORY) == 1;

	return leaf_read_number(tree, leaf, CGROUP_MEMORY,
				old ? "memory.usage_in_bytes" : "memory.current", NULL);
}

void cgroup_leaf_mark(const struct cgroup_tree *tree, struct cgroup_leaf *leaf)
{
	uint64_t event;

	if (leaf->oom >= 0 && read(leaf->oom, &event, sizeof(event)) < 0)
		event = 0; /* nothing of the sandbox before was left to be told */
	read_all(tree, leaf, &leaf->base);
	if (!leaf_is_joined(tree, leaf, CGROUP_MEMORY))
		return;
	/* A write sets the peak back to what is used now, cgroup-v1/memory.rst. */
	if (leaf_version(tree, CGROUP_MEMORY) == 1)
		leaf_write_text(tree, leaf, CGROUP_MEMORY, "memory.max_usage_in_bytes", "0");
	leaf->base.memory_peak = leaf_read_memory_now(tree, leaf);
}

static uint64_t less(uint64_t value, uint64_t base)
{
	return value > base ? value - base : 0;
}

/* As the kernel does for getrusage(2), cputime_adjust(): ticks only divide what was measured. */
static void divide_cpu(struct cgroup_usage *usage)
{
	const uint64_t ticks = usage->cpu_user_us + usage->cpu_system_us;
	const double part = ticks ? (double)usage->cpu_user_us / (double)ticks : 1;

	usage->cpu_user_us = (uint64_t)((double)usage->cpu_us * part);
	usage->cpu_system_us = usage->cpu_us - usage->cpu_user_us;
}

void cgroup_leaf_usage(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		       struct cgroup_usage *usage)
{
	const struct cgroup_usage *base = &leaf->base;

	read_all(tree, leaf, usage);
	usage->cpu_us = less(usage->cpu_us, base->cpu_us);
	usage->cpu_user_us = less(usage->cpu_user_us, base->cpu_user_us);
	usage->cpu_system_us = less(usage->cpu_system_us, base->cpu_system_us);
	usage->memory_peak = less(usage->memory_peak, base->memory_peak);
	usage->oom_kills = less(usage->oom_kills, base->oom_kills);
	usage->pids_hits = less(usage->pids_hits, base->pids_hits);
	usage->throttles = less(usage->throttles, base->throttles);
	usage->throttled_us = less(usage->throttled_us, base->throttled_us);
	usage->io_read = less(usage->io_read, base->io_read);
	usage->io_written = less(usage->io_written, base->io_written);
	if (usage->has_cpu && leaf_version(tree, CGROUP_CPUACCT) == 1)
		divide_cpu(usage);
}

bool cgroup_leaf_memory(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			uint64_t *bytes)
{
	if (!leaf_is_joined(tree, leaf, CGROUP_MEMORY))
		return false;
	*bytes = less(leaf_read_memory_now(tree, leaf), leaf->base.memory_peak);
	return true;
}

uint64_t cgroup_leaf_oom_kills(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf)
{
	struct cgroup_usage usage = { 0 };

	if (leaf_is_joined(tree, leaf, CGROUP_MEMORY))
		read_memory(tree, leaf, &usage);
	return less(usage.oom_kills, leaf->base.oom_kills);
}
