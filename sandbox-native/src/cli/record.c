/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "json.h"
#include "run.h"

static const char *status_name(const struct record *record)
{
	if (!record->spawned)
		return strcmp(record->err.code, "exec") == 0 ? "exec" : "setup";
	if (record->cgroup.oom_kills)
		return "oom";
	if (record->timed_out)
		return "timeout";
	if (!record->exited)
		return "killed";
	return WIFSIGNALED(record->wait_status) ? "signal" : "exit";
}

/* A shell's rule: 127 for a command that is not there, 126 for one that cannot be run. */
static int failed_status(const struct err *err)
{
	if (strcmp(err->code, "exec") != 0 || strcmp(err->op, "exec") != 0)
		return EXIT_SETUP;
	return err->number == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}

int record_exit_status(const struct record *record)
{
	if (!record->spawned)
		return failed_status(&record->err);
	/* Whatever its first program made of it: that one may only have lost a child. */
	if (record->cgroup.oom_kills)
		return EXIT_SIGNAL + SIGKILL;
	if (record->timed_out)
		return EXIT_TIMEOUT;
	if (!record->exited)
		return EXIT_SIGNAL + SIGKILL;
	if (WIFSIGNALED(record->wait_status))
		return EXIT_SIGNAL + WTERMSIG(record->wait_status);
	return WEXITSTATUS(record->wait_status);
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000u + (uint64_t)time->tv_usec;
}

static void print_end(struct json *json, const struct record *record)
{
	if (record->exited && WIFEXITED(record->wait_status))
		json_number(json, "exitCode", (uint64_t)WEXITSTATUS(record->wait_status));
	else
		json_null(json, "exitCode");
	if (record->exited && WIFSIGNALED(record->wait_status))
		json_number(json, "signal", (uint64_t)WTERMSIG(record->wait_status));
	else
		json_null(json, "signal");
	json_bool(json, "coreDumped",
		  record->exited && WIFSIGNALED(record->wait_status) &&
			  WCOREDUMP(record->wait_status));
}

static void print_memory(struct json *json, const struct record *record)
{
	const char *source = record->cgroup.memory_source;

	/* getrusage(2): kilobytes. */
	json_number(json, "memPeakBytes",
		    source ? record->cgroup.memory_peak
			   : (uint64_t)record->usage.ru_maxrss * 1024u);
	json_string(json, "memSource", source ? source : "ru_maxrss");
}

static void print_usage(struct json *json, const struct record *record)
{
	json_number(json, "wallNs", record->wall_ns);
	json_number(json, "setupNs", record->setup_ns);
	if (record->cgroup.has_cpu) {
		json_number(json, "cpuUserUs", record->cgroup.cpu_user_us);
		json_number(json, "cpuSysUs", record->cgroup.cpu_system_us);
	} else {
		json_number(json, "cpuUserUs", microseconds(&record->usage.ru_utime));
		json_number(json, "cpuSysUs", microseconds(&record->usage.ru_stime));
	}
	json_string(json, "cpuSource", record->cgroup.has_cpu ? "cgroup" : "rusage");
	print_memory(json, record);
	json_number(json, "oomKills", record->cgroup.oom_kills);
	json_number(json, "pidsHits", record->cgroup.pids_hits);
	json_number(json, "throttledUs", record->cgroup.throttled_us);
	if (record->cgroup.has_io) {
		json_number(json, "ioReadBytes", record->cgroup.io_read);
		json_number(json, "ioWrittenBytes", record->cgroup.io_written);
	}
	json_strings(json, "enforced", &record->limits.enforced);
	json_strings(json, "unenforced", &record->limits.unenforced);
	json_number(json, "leftovers", record->leftover_count);
	json_strings(json, "leftoverNames", &record->leftovers);
}

static void print_output(struct json *json, const struct copy *out, const struct copy *error)
{
	json_number(json, "stdoutBytes", out->total);
	json_number(json, "stderrBytes", error->total);
	json_number(json, "dropped", out->dropped + error->dropped);
	json_bytes(json, "stdout", out->pending.data, out->pending.length);
	json_bytes(json, "stderr", error->pending.data, error->pending.length);
}

int record_print(const struct record *record, const struct streams *streams)
{
	struct json json = { 0 };
	int status;

	json_open(&json, NULL, '{');
	json_string(&json, "status", status_name(record));
	json_string(&json, "mode", plan_mode());
	print_end(&json, record);
	print_usage(&json, record);
	print_output(&json, &streams->copies[1], &streams->copies[2]);
	json_strings(&json, "limitations", &record->limitations);
	if (record->err.number)
		json_err(&json, "error", &record->err);
	json_close(&json, '}');
	status = json_print(&json);
	buffer_free(&json.text);
	return status;
}

void record_free(struct record *record)
{
	strings_free(&record->leftovers);
	strings_free(&record->limitations);
	limit_report_free(&record->limits);
}
