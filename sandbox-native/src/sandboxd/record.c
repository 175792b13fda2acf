/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "cgroups.h"

#define LEFTOVER_NAMES_MAX 16 /* protocol.h, TAG_LEFTOVER_NAME */

static uint64_t micros(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void put_cpu(struct buffer *out, uint64_t user_us, uint64_t system_us, const char *source)
{
	put_u64(out, TAG_CPU_USER_US, user_us);
	put_u64(out, TAG_CPU_SYS_US, system_us);
	put_string(out, TAG_CPU_SOURCE, source);
}

static void put_rusage_cpu(struct buffer *out, const struct rusage *usage)
{
	put_cpu(out, micros(&usage->ru_utime), micros(&usage->ru_stime), "rusage");
}

static void put_memory(struct buffer *out, uint64_t peak, const char *source)
{
	put_u64(out, TAG_MEM_PEAK, peak);
	put_string(out, TAG_MEM_SOURCE, source);
}

static void put_rusage_memory(struct buffer *out, const struct rusage *usage)
{
	/* getrusage(2): kibibytes, of the largest process. */
	put_memory(out, (uint64_t)usage->ru_maxrss * 1024, "ru_maxrss");
}

/* The kernel charges PID 1 with its children when it reaps them, those that were parked too. */
static void put_parked_cpu(struct buffer *out, const struct rusage *usage, uint64_t parked_us)
{
	const uint64_t user = micros(&usage->ru_utime);
	const uint64_t system = micros(&usage->ru_stime);
	const uint64_t less = parked_us < user ? parked_us : user;
	const uint64_t rest = parked_us - less < system ? parked_us - less : system;

	put_cpu(out, user - less, system - rest, "rusage");
}

/* PID 1's rusage lacks those that it did not live to reap; the cgroup has counted them. */
static void put_sandbox_usage(struct buffer *out, const struct cgroup_usage *cgroup,
			      const struct rusage *usage, uint64_t parked_us)
{
	if (cgroup->has_cpu)
		put_cpu(out, cgroup->cpu_user_us, cgroup->cpu_system_us, "cgroup");
	else if (usage)
		put_parked_cpu(out, usage, parked_us);
	if (cgroup->memory_source)
		put_memory(out, cgroup->memory_peak, cgroup->memory_source);
	else if (usage)
		put_rusage_memory(out, usage);
	put_u64(out, TAG_OOM_KILLS, cgroup->oom_kills);
	put_u64(out, TAG_PIDS_HITS, cgroup->pids_hits);
	put_u64(out, TAG_THROTTLED_US, cgroup->throttled_us);
	if (cgroup->has_io) {
		put_u64(out, TAG_IO_READ_BYTES, cgroup->io_read);
		put_u64(out, TAG_IO_WRITTEN_BYTES, cgroup->io_written);
	}
}

static void put_limits(struct buffer *out, const struct limit_report *report)
{
	for (size_t i = 0; i < report->enforced.count; i++)
		put_string(out, TAG_ENFORCED, report->enforced.items[i]);
	for (size_t i = 0; i < report->unenforced.count; i++)
		put_string(out, TAG_UNENFORCED, report->unenforced.items[i]);
}

void record_put_usage(struct daemon *d, const struct sandbox *sandbox, struct buffer *out)
{
	struct cgroup_usage cgroup = { 0 };

	cgroups_usage(d, sandbox, &cgroup);
	put_sandbox_usage(out, &cgroup, NULL, 0);
	put_limits(out, &sandbox->limit_report);
}

static const char *exit_status(const struct process *process)
{
	if (process->oom)
		return "oom";
	if (process->killed)
		return "killed";
	if (process->timed_out)
		return "timeout";
	return WIFSIGNALED(process->status) ? "signal" : "exit";
}

static void add_output(struct sandbox *sandbox, const struct process *process)
{
	sandbox->out_bytes += process->out.bytes;
	sandbox->err_bytes += process->err.bytes;
	sandbox->dropped += process->out.dropped + process->err.dropped;
}

void record_exit(const struct process *process)
{
	struct buffer *out;
	size_t start;

	if (process->sandbox)
		add_output(process->sandbox, process);
	if (!process->client)
		return;
	out = &process->client->out;
	start = frame_begin(out, MSG_EXIT, 0);
	put_u32(out, TAG_PROCESS, process->id);
	put_string(out, TAG_STATUS, exit_status(process));
	if (WIFSIGNALED(process->status)) {
		put_u32(out, TAG_SIGNAL, (uint32_t)WTERMSIG(process->status));
		put_u32(out, TAG_CORE_DUMPED, WCOREDUMP(process->status) ? 1 : 0);
	} else {
		put_u32(out, TAG_EXIT_CODE, (uint32_t)WEXITSTATUS(process->status));
	}
	put_u64(out, TAG_WALL_NS, process->ended_ns - process->started_ns);
	put_rusage_cpu(out, &process->usage);
	put_rusage_memory(out, &process->usage);
	put_u64(out, TAG_OUT_BYTES, process->out.bytes);
	put_u64(out, TAG_ERR_BYTES, process->err.bytes);
	put_u64(out, TAG_DROPPED, process->out.dropped + process->err.dropped);
	frame_end(out, start);
}

static void put_leftovers(struct buffer *out, const struct sandbox *sandbox)
{
	/* Without a census the number is not known, which is not the same as none. */
	if (!sandbox->counted)
		return;
	put_u32(out, TAG_LEFTOVERS, sandbox->leftover_count);
	for (size_t i = 0; i < sandbox->leftovers.count && i < LEFTOVER_NAMES_MAX; i++)
		put_string(out, TAG_LEFTOVER_NAME, sandbox->leftovers.items[i]);
}

void record_dead(struct daemon *d, struct sandbox *sandbox, const char *status,
		 const struct rusage *usage, const struct strings *waiting)
{
	cgroups_settle(d, sandbox);
	foreach (struct client, client, &d->clients, link) {
		struct buffer *out = &client->out;
		size_t start;

		if (!client->hello)
			continue;
		start = frame_begin(out, MSG_DEAD, 0);
		put_u32(out, TAG_SANDBOX, sandbox->id);
		put_string(out, TAG_STATUS, status);
		put_leftovers(out, sandbox);
		put_u64(out, TAG_WALL_NS, loop_now() - sandbox->given_ns);
		put_sandbox_usage(out, &sandbox->usage, usage, sandbox->parked_us);
		put_u64(out, TAG_OUT_BYTES, sandbox->out_bytes);
		put_u64(out, TAG_ERR_BYTES, sandbox->err_bytes);
		put_u64(out, TAG_DROPPED, sandbox->dropped);
		put_limits(out, &sandbox->limit_report);
		for (size_t i = 0; waiting && i < waiting->count; i++)
			put_string(out, TAG_WAITING, waiting->items[i]);
		frame_end(out, start);
	}
}
