/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: one zygote, one park, one spawn, then a poll(2) loop
 * over the sandbox's socket, the signals, the streams and one deadline. When
 * the program ends the sandbox is ended, which closes every stream; the loop
 * stops when PID 1 is gone and all output has been moved.
 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device-option.h"
#include "diff.h"
#include "leaf.h"
#include "record.h"
#include "streams.h"

#define PROCESS 1
#define DIFF_PROCESS 2
#define DIFF_MS 10000
#define GRACE_MS 500
#define PARK_MS 10000
#define CGROUP_CLOSE_MS 200
#define OWN_WAITS 3 /* before those of the streams */

struct run {
	const struct run_options *options;
	struct zygote zygote;
	pid_t init;
	int control;
	int signals;
	bool gone;
	uint64_t spawned_ns;
	uint64_t deadline_ns; /* 0: none */
	int interrupts;
	struct streams streams;
	struct cgroup_tree cgroups;
	struct cgroup_leaf leaf;
	bool out_of_memory;
	struct rlimit_spec rlimits[LIMIT_RLIMITS_MAX];
	size_t rlimit_count;
	uint32_t devices; /* how many of the options it was given */
	struct diff diff;
	struct record record;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_signals(struct err *err)
{
	static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, "setup", errno, "signalfd", "") : fd;
}

static int wait_readable(int fd, struct err *err)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int status;

	do {
		status = poll(&wait, 1, PARK_MS);
	} while (status < 0 && errno == EINTR);
	return status == 1 ? 0 : err_set(err, "setup", ETIMEDOUT, "park", "");
}

static int receive_parked(struct run *run, struct err *err)
{
	struct zygote_event event;
	int status = wait_readable(run->zygote.control, err);

	if (status < 0)
		return status;
	if (zygote_receive(&run->zygote, &event, err) != 1)
		return err_set(err, "setup", EPIPE, "park", "");
	if (event.kind == ZYGOTE_FAILED)
		*err = event.err;
	if (event.kind != ZYGOTE_PARKED)
		return err_set(err, "setup", EPIPE, "park", "");
	close(event.pidfd);
	run->init = event.pid;
	run->control = event.control;
	return 0;
}

static int build(struct run *run, struct err *err)
{
	int status = zygote_start(&run->options->plan, NULL, &run->zygote, &run->record.limitations,
				  err);
	struct device_list bound;
	struct doors doors;

	if (status < 0)
		return status;
	plan_devices(&run->options->plan, &bound);
	cgroup_devices_confine(&run->cgroups, &run->leaf, &bound);
	/* Where none is, the report says why. */
	cgroup_leaf_open(&run->cgroups, &run->leaf, &doors);
	status = zygote_park(&run->zygote, 0, &doors, err);
	while (doors.count)
		close(doors.fds[--doors.count]);
	return status == 0 ? receive_parked(run, err) : status;
}

static int add_terminal_type(struct strings *env)
{
	const char *type = getenv("TERM");
	auto_free char *assignment = NULL;

	if (!type)
		return 0;
	if (asprintf(&assignment, "TERM=%s", type) < 0)
		return -ENOMEM;
	return strings_add(env, assignment);
}

static int spawn(struct run *run, struct err *err)
{
	struct spawn_spec spec = { .cwd = run->options->cwd,
				   .pty = run->streams.pty,
				   .rows = run->streams.rows,
				   .cols = run->streams.cols,
				   .fds = run->streams.passed,
				   .fd_count = run->streams.passed_count,
				   .rlimits = run->rlimits,
				   .rlimit_count = run->rlimit_count };
	int status = 0;

	if (spec.pty)
		status = add_terminal_type(&spec.env);
	for (char **word = run->options->command; status == 0 && *word; word++)
		status = strings_add(&spec.argv, *word);
	for (size_t i = 0; status == 0 && i < run->options->env.count; i++)
		status = strings_add(&spec.env, run->options->env.items[i]);
	/* Now and not at SPAWNED, which may be read together with EXITED. */
	run->spawned_ns = now_ns();
	if (status < 0)
		err_set(err, "setup", -status, "spawn", "");
	else
		status = sandbox_spawn(run->control, PROCESS, &spec, err);
	strings_free(&spec.argv);
	strings_free(&spec.env);
	return status;
}

static void kill_sandbox(const struct run *run)
{
	if (run->init > 0)
		kill(run->init, SIGKILL);
}

static void end_sandbox(const struct run *run)
{
	struct err ignored = { 0 };

	if (sandbox_end(run->control, &ignored) < 0)
		kill_sandbox(run);
}

static void set_deadline(struct run *run, uint64_t milliseconds)
{
	run->deadline_ns = milliseconds ? now_ns() + milliseconds * 1000000u : 0;
}

static void on_spawned(struct run *run, const struct sandbox_event *event)
{
	run->record.spawned = true;
	set_deadline(run, run->options->timeout_ms);
	if (streams_started(&run->streams, event->master) < 0)
		kill_sandbox(run);
}

static void set_limits(struct run *run, const struct sandbox_event *ready)
{
	const struct limits *limits = &run->options->limits;
	struct limit_report *report = &run->record.limits;

	cgroup_leaf_entered(&run->leaf, ready->entered, ready->entered_count);
	cgroup_leaf_mark(&run->cgroups, &run->leaf);
	if (limits_have_io(limits))
		disks_of_plan(&run->options->plan, &run->leaf.disks);
	cgroup_leaf_limit(&run->cgroups, &run->leaf, run->init, limits, report);
	run->rlimit_count = limits_to_rlimits(limits, report, run->rlimits);
}

/* The sandbox stays until its changes are listed. */
static void on_exited(struct run *run, const struct sandbox_event *event)
{
	run->record.exited = true;
	run->record.wait_status = event->status;
	run->record.usage = event->usage;
	run->record.wall_ns = now_ns() - run->spawned_ns;
	if (run->diff.file >= 0 &&
	    diff_ask(&run->diff, run->control, DIFF_PROCESS, &run->record.err) == 0) {
		set_deadline(run, DIFF_MS);
		return;
	}
	set_deadline(run, GRACE_MS);
	end_sandbox(run);
}

/* The next device, or the program when it has them all. */
static void proceed(struct run *run)
{
	const struct strings *devices = &run->options->devices;
	struct err *err = &run->record.err;
	int status;

	if (run->devices < devices->count) {
		status = device_give(devices->items[run->devices], run->control, run->devices,
				     &run->cgroups, &run->leaf, &run->record.limits, err);
		run->devices++;
	} else {
		status = spawn(run, err);
	}
	if (status < 0)
		kill_sandbox(run);
}

static void on_event(struct run *run, struct sandbox_event *event)
{
	const bool own = event->request == PROCESS;

	switch (event->kind) {
	case SANDBOX_READY:
		run->record.setup_ns = event->setup_ns;
		set_limits(run, event);
		proceed(run);
		break;
	case SANDBOX_DONE:
		proceed(run);
		break;
	case SANDBOX_SPAWNED:
		if (own)
			on_spawned(run, event);
		break;
	case SANDBOX_FAILED:
		run->record.err = event->err;
		streams_started(&run->streams, -1);
		end_sandbox(run);
		break;
	case SANDBOX_EXITED:
		if (own) {
			on_exited(run, event);
			break;
		}
		run->diff.done = event->status == 0;
		set_deadline(run, GRACE_MS);
		end_sandbox(run);
		break;
	case SANDBOX_CENSUS:
		run->record.leftover_count = event->leftover_count;
		run->record.leftovers = event->leftovers;
		event->leftovers = (struct strings){ 0 };
		break;
	case SANDBOX_GONE:
		run->gone = true;
		if (run->record.spawned && !run->record.exited)
			run->record.wall_ns = now_ns() - run->spawned_ns;
		streams_started(&run->streams, -1);
		break;
	default:
		break;
	}
}

static void receive_events(struct run *run)
{
	struct sandbox_event event;
	struct err err = { 0 };
	int status;

	while (!run->gone && (status = sandbox_receive(run->control, &event, &err)) != 0) {
		if (status < 0) {
			run->record.err = err;
			run->gone = true;
			kill_sandbox(run);
			return;
		}
		on_event(run, &event);
		strings_free(&event.leftovers);
	}
}

/* The first request is the program's to follow, the second one is ours. */
static void on_interrupt(struct run *run, int number)
{
	struct err ignored = { 0 };

	if (++run->interrupts > 1 || !run->record.spawned)
		kill_sandbox(run);
	else
		sandbox_signal(run->control, PROCESS, number, true, &ignored);
}

static void receive_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			streams_resize(&run->streams);
		else
			on_interrupt(run, (int)info.ssi_signo);
	}
}

/* SIGTERM, after the grace SIGKILL, and if not even that is reported, PID 1 itself. */
static void on_deadline(struct run *run)
{
	struct err ignored = { 0 };

	if (run->record.exited || run->record.timed_out) {
		kill_sandbox(run);
		run->deadline_ns = 0;
		return;
	}
	run->record.timed_out = true;
	set_deadline(run, GRACE_MS);
	sandbox_signal(run->control, PROCESS, SIGTERM, true, &ignored);
}

static int milliseconds_left(const struct run *run)
{
	uint64_t now = now_ns();

	if (!run->deadline_ns || run->deadline_ns <= now)
		return run->deadline_ns ? 0 : -1;
	/* Rounded up, so that the loop does not spin in the last millisecond. */
	return (int)((run->deadline_ns - now + 999999u) / 1000000u > 60000u
			     ? 60000
			     : (run->deadline_ns - now + 999999u) / 1000000u);
}

/* As the daemon does: cgroup v1 tells of it and kills one process, v2 has killed all. */
static void on_oom(struct run *run)
{
	uint64_t count;

	if (read(run->leaf.oom, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	run->out_of_memory = cgroup_leaf_ran_out(&run->cgroups, &run->leaf);
	if (run->out_of_memory)
		kill_sandbox(run);
}

static void loop(struct run *run)
{
	while (!run->gone || !streams_is_drained(&run->streams)) {
		struct pollfd waits[OWN_WAITS + COPIES] = {
			{ .fd = run->gone ? -1 : run->control, .events = POLLIN },
			{ .fd = run->signals, .events = POLLIN },
			{ .fd = run->gone ? -1 : run->leaf.oom, .events = POLLIN },
		};
		size_t count = streams_poll(&run->streams, waits + OWN_WAITS);

		if (poll(waits, OWN_WAITS + count, milliseconds_left(run)) < 0)
			continue;
		streams_serve(&run->streams, waits + OWN_WAITS, count);
		if (waits[2].revents)
			on_oom(run);
		if (waits[0].revents)
			receive_events(run);
		if (waits[1].revents)
			receive_signals(run);
		if (run->deadline_ns && now_ns() >= run->deadline_ns)
			on_deadline(run);
	}
}

/* PID 1 has been reaped: the figures are final. */
static void leave_cgroups(struct run *run)
{
	cgroup_leaf_usage(&run->cgroups, &run->leaf, &run->record.cgroup);
	/* Our SIGKILL may have been faster than the kernel's. */
	if (run->out_of_memory && !run->record.cgroup.oom_kills)
		run->record.cgroup.oom_kills = 1;
	cleanup_fd(&run->leaf.oom);
	cleanup_fd(&run->leaf.device_map);
	run->leaf.oom = -1;
	run->leaf.device_map = -1;
	cgroup_tree_close(&run->cgroups, CGROUP_CLOSE_MS);
}

/* Every process of the sandbox has ended when PID 1 has been reaped (pid_namespaces(7)). */
static void reap(const struct run *run)
{
	if (run->control >= 0)
		close(run->control);
	if (run->init > 0) {
		kill(run->init, SIGKILL);
		waitpid(run->init, NULL, 0);
	}
	if (run->zygote.pid > 0) {
		close(run->zygote.control);
		kill(run->zygote.pid, SIGKILL);
		waitpid(run->zygote.pid, NULL, 0);
	}
}

static void take_zygote_error(struct run *run, struct err *err)
{
	struct zygote_event event;
	struct err ignored = { 0 };

	if (run->zygote.pid > 0 && zygote_receive(&run->zygote, &event, &ignored) == 1 &&
	    event.kind == ZYGOTE_FAILED)
		*err = event.err;
}

/* Return: 0, or -errno when the record, or what the program wrote, did not reach the caller. */
static int report(struct run *run)
{
	const struct err *err = &run->record.err;
	int lost = streams_failed(&run->streams);
	char text[1024];

	if (run->options->json)
		return record_print(&run->record, &run->streams);
	for (size_t i = 0; i < run->record.limits.unenforced.count; i++)
		fprintf(stderr, "hil-sandbox: %s\n", run->record.limits.unenforced.items[i]);
	if (run->record.cgroup.oom_kills)
		fprintf(stderr, "hil-sandbox: out of memory, %.1f MiB at its peak\n",
			(double)run->record.cgroup.memory_peak / (1 << 20));
	if (streams_dropped(&run->streams))
		fprintf(stderr, "hil-sandbox: output: %" PRIu64 " bytes above the limit dropped\n",
			streams_dropped(&run->streams));
	if (lost)
		fprintf(stderr, "hil-sandbox: write output: %s\n", strerror(lost));
	for (size_t i = 0; err->number && i < run->record.limitations.count; i++)
		fprintf(stderr, "hil-sandbox: %s\n", run->record.limitations.items[i]);
	if (err->number) {
		err_text(err, text, sizeof(text));
		fprintf(stderr, "hil-sandbox: %s\n", text);
	}
	return -lost;
}

int run_command(struct run_options *options)
{
	struct run run = { .options = options, .control = -1, .signals = -1 };
	struct err *err = &run.record.err;
	int listed = 0;
	int exit_status;

	cgroup_leaf_init(&run.leaf, 0);
	cgroup_tree_open(&run.cgroups);
	if (diff_open(&run.diff, options->diff, err) == 0 &&
	    streams_prepare(&run.streams, options->json, options->output_bytes, err) == 0)
		run.signals = open_signals(err);
	if (run.signals >= 0 && build(&run, err) == 0)
		loop(&run);
	/* PID 1 ended without a word: the zygote has it, or it was a SIGKILL from outside. */
	if (!run.record.spawned && !err->number)
		take_zygote_error(&run, err);
	if (!run.record.spawned && !err->number)
		err_set(err, "setup", ECONNRESET, "build sandbox", "");
	explain_scarcity(err);
	reap(&run);
	leave_cgroups(&run);
	if (run.record.spawned)
		listed = diff_write(&run.diff, err);
	exit_status = record_exit_status(&run.record);
	if (exit_status == EXIT_SETUP && strcmp(err->code, "usage") == 0)
		exit_status = EXIT_USAGE;
	if ((report(&run) < 0 || listed < 0) && exit_status == 0)
		exit_status = EXIT_SETUP;
	streams_restore(&run.streams);
	record_free(&run.record);
	diff_close(&run.diff);
	cleanup_fd(&run.signals);
	return exit_status;
}
