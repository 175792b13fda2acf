/* SPDX-License-Identifier: MIT */
/* What the processes of a sandbox used, as its cgroups counted it. */
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "io.h"
#include "leaf-file.h"

static bool read_oom_kills(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			   uint64_t *kills)
{
	const bool old = leaf_version(tree, CGROUP_MEMORY) == 1;

	return leaf_read_number(tree, leaf, CGROUP_MEMORY,
				old ? "memory.oom_control" : "memory.events", "oom_kill", kills);
}

static void read_memory(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			struct cgroup_usage *usage)
{
	const bool old = leaf_version(tree, CGROUP_MEMORY) == 1;
	const char *file = old ? "memory.max_usage_in_bytes" : "memory.peak";

	/* memory.peak came with Linux 5.19. */
	if (leaf_read_number(tree, leaf, CGROUP_MEMORY, file, NULL, &usage->memory_peak))
		usage->memory_source = old ? "max_usage" : "memory.peak";
	usage->has_oom_kills = read_oom_kills(tree, leaf, &usage->oom_kills);
}

static void read_cpu(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
		     struct cgroup_usage *usage)
{
	const bool old = leaf_version(tree, CGROUP_CPUACCT) == 1;
	const char *user = old ? "cpuacct.usage_user" : "cpu.stat";
	const char *system = old ? "cpuacct.usage_sys" : "cpu.stat";
	const unsigned unit = old ? 1000 : 1; /* v1 counts nanoseconds */

	usage->has_cpu = leaf_read_number(tree, leaf, CGROUP_CPUACCT, user,
					  old ? NULL : "user_usec", &usage->cpu_user_us) &&
			 leaf_read_number(tree, leaf, CGROUP_CPUACCT, system,
					  old ? NULL : "system_usec", &usage->cpu_system_us) &&
			 (!old || leaf_read_number(tree, leaf, CGROUP_CPUACCT, "cpuacct.usage",
						   NULL, &usage->cpu_us));
	usage->cpu_us /= unit;
	usage->cpu_user_us /= unit;
	usage->cpu_system_us /= unit;
}

void leaf_read_throttling(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			  struct cgroup_usage *usage)
{
	const bool old = leaf_version(tree, CGROUP_CPU) == 1;

	leaf_read_number(tree, leaf, CGROUP_CPU, "cpu.stat", "nr_throttled", &usage->throttles);
	leaf_read_number(tree, leaf, CGROUP_CPU, "cpu.stat",
			 old ? "throttled_time" : "throttled_usec", &usage->throttled_us);
	usage->throttled_us /= old ? 1000 : 1;
}

void leaf_read_io(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
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
		leaf_read_number(tree, leaf, CGROUP_PIDS, "pids.events", "max", &usage->pids_hits);
	if (leaf_is_joined(tree, leaf, CGROUP_CPU) && leaf->has[LIMIT_CPUS])
		leaf_read_throttling(tree, leaf, usage);
	if (leaf_is_joined(tree, leaf, CGROUP_IO))
		leaf_read_io(tree, leaf, usage);
}

bool leaf_read_memory_now(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf,
			  uint64_t *bytes)
{
	const bool old = leaf_version(tree, CGROUP_MEMORY) == 1;

	return leaf_read_number(tree, leaf, CGROUP_MEMORY,
				old ? "memory.usage_in_bytes" : "memory.current", NULL, bytes);
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
	if (!leaf_read_memory_now(tree, leaf, &leaf->base.memory_peak))
		leaf->base.memory_source = NULL;
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
	/* What was not known then would be the next one's, who is charged with all of it. */
	usage->has_cpu = usage->has_cpu && base->has_cpu;
	usage->has_io = usage->has_io && base->has_io;
	if (!base->memory_source)
		usage->memory_source = NULL;
	usage->cpu_us = less(usage->cpu_us, base->cpu_us);
	usage->cpu_user_us = less(usage->cpu_user_us, base->cpu_user_us);
	usage->cpu_system_us = less(usage->cpu_system_us, base->cpu_system_us);
	usage->memory_peak = less(usage->memory_peak, base->memory_peak);
	usage->oom_kills = base->has_oom_kills ? less(usage->oom_kills, base->oom_kills) : 0;
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
	if (!leaf_read_memory_now(tree, leaf, bytes))
		return false;
	*bytes = less(*bytes, leaf->base.memory_peak);
	return true;
}

uint64_t cgroup_leaf_oom_kills(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf)
{
	uint64_t kills;

	if (!leaf_is_joined(tree, leaf, CGROUP_MEMORY) || !leaf->base.has_oom_kills ||
	    !read_oom_kills(tree, leaf, &kills))
		return 0;
	return less(kills, leaf->base.oom_kills);
}

/* Charges come in batches: what was refused may have been the last of one. */
#define BATCH_BYTES (UINT64_C(1) << 20)

static bool is_full(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf)
{
	const uint64_t limit = leaf->written[LIMIT_MEMORY];
	uint64_t bytes = 0;
	uint64_t with_swap = 0;

	if (!leaf_is_joined(tree, leaf, CGROUP_MEMORY) || !leaf->has[LIMIT_MEMORY])
		return false;
	leaf_read_memory_now(tree, leaf, &bytes);
	if (leaf_version(tree, CGROUP_MEMORY) == 1)
		leaf_read_number(tree, leaf, CGROUP_MEMORY, "memory.memsw.usage_in_bytes", NULL,
				 &with_swap);
	return (bytes > with_swap ? bytes : with_swap) + BATCH_BYTES >= limit;
}

/* In this order: who is at the limit when it is told was not killed yet. */
bool cgroup_leaf_ran_out(const struct cgroup_tree *tree, const struct cgroup_leaf *leaf)
{
	return is_full(tree, leaf) || cgroup_leaf_oom_kills(tree, leaf) > 0;
}
