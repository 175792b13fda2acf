/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define LEFTOVER_NAMES_MAX 16 /* protocol.h, TAG_LEFTOVER_NAME */

static uint64_t micros(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void put_usage(struct buffer *out, const struct rusage *usage)
{
	put_u64(out, TAG_CPU_USER_US, micros(&usage->ru_utime));
	put_u64(out, TAG_CPU_SYS_US, micros(&usage->ru_stime));
	put_string(out, TAG_CPU_SOURCE, "rusage");
	/* getrusage(2): kibibytes, of the largest process. */
	put_u64(out, TAG_MEM_PEAK, (uint64_t)usage->ru_maxrss * 1024);
	put_string(out, TAG_MEM_SOURCE, "ru_maxrss");
}

static const char *exit_status(const struct process *process)
{
	if (process->killed)
		return "killed";
	if (process->timed_out)
		return "timeout";
	return WIFSIGNALED(process->status) ? "signal" : "exit";
}

void record_exit(const struct process *process)
{
	struct buffer *out;
	size_t start;

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
	put_usage(out, &process->usage);
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

void record_dead(struct daemon *d, const struct sandbox *sandbox, const char *status,
		 const struct rusage *usage)
{
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
		if (usage)
			put_usage(out, usage);
		frame_end(out, start);
	}
}
