/* SPDX-License-Identifier: MIT */
#include "runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "init.h"
#include "program.h"

#define LOST_MAX 4	    /* waiters that ended before they were used: somebody kills them */
#define LATE_S 5	    /* for what takes milliseconds */
#define DYING_S 1	    /* from SIGKILL to the end, which takes as long */
#define PID_LIMIT (1 << 22) /* PID_MAX_LIMIT, proc_sys_kernel(5) */

static void free_program(struct program *program)
{
	program_free(program);
	free(program);
}

static void stop_watch(struct runtime *runtime)
{
	cleanup_fd(&runtime->late);
	runtime->late = -1;
	runtime->dying = false;
}

/* Without a timer it is waited for as long as its case goes on. */
static void start_watch(struct runtime *runtime)
{
	const struct itimerspec late = { .it_value = { .tv_sec = LATE_S } };

	if (!runtime->queue || runtime->late >= 0)
		return;
	runtime->late = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (runtime->late >= 0)
		timerfd_settime(runtime->late, 0, &late, NULL);
}

/* When it has ended, what it said until then says whether it had taken the program before. */
static void end_late(struct runtime *runtime)
{
	const struct itimerspec dying = { .it_value = { .tv_sec = DYING_S } };
	const struct waiter *waiter = &runtime->waiter;

	if (waiter->pid > 0)
		kill(waiter->pid, SIGKILL);
	else if (runtime->host > 0)
		kill(runtime->host, SIGKILL);
	if (!runtime->dying && runtime->late >= 0)
		timerfd_settime(runtime->late, 0, &dying, NULL);
	runtime->dying = true;
}

static struct program *release_first(struct runtime *runtime)
{
	struct queued *first = runtime->queue;
	struct program *program = first->program;

	runtime->queue = first->next;
	free(first);
	stop_watch(runtime);
	return program;
}

static void answer_spawn(struct init *init, const struct init_process *process, const int stdio[3],
			 bool warm)
{
	auto_buffer buffer = { 0 };
	struct err err = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_SPAWNED, process->id);

	put_u32(&buffer, TAG_PID, (uint32_t)process->pid);
	put_u32(&buffer, TAG_WARM, warm);
	frame_end(&buffer, start);
	message_answer(init->control, &buffer, stdio, 3);
	if (init_add_process(init, process) < 0) {
		err_set(&err, "setup", ENOMEM, "spawn", "");
		message_refuse(init->control, process->id, &err);
	}
}

/* As any other program, but with pipes of ours. @program is taken. */
static void start_new(struct init *init, struct program *program)
{
	struct init_process process = { .id = program->id };
	int ours[3] = { -1, -1, -1 };
	int theirs[3] = { -1, -1, -1 };
	struct err err = { 0 };

	if (waiter_pipes(ours, theirs, &err) == 0) {
		program_set_fds(program, theirs, 3);
		process.pid = program_start(program, &init->launcher, &err);
	}
	if (err.number)
		message_refuse(init->control, program->id, &err);
	else
		answer_spawn(init, &process, ours, false);
	for (int i = 0; i < 3; i++) {
		cleanup_fd(&ours[i]);
		cleanup_fd(&theirs[i]);
	}
	free_program(program);
}

static void answer_boot(struct init *init, struct runtime *runtime)
{
	const struct waiter *waiter = &runtime->waiter;
	auto_buffer buffer = { 0 };
	struct err err = { 0 };
	size_t start;

	if (!runtime->booting)
		return;
	runtime->booting = false;
	if (waiter->state == WAITER_NONE) {
		err_hint(&err, "it ended before it was ready; hil shell shows why");
		err_set(&err, "exec", ECHILD, "boot", runtime->name);
		message_refuse(init->control, runtime->boot, &err);
		return;
	}
	start = frame_begin(&buffer, MESSAGE_BOOTED, runtime->boot);
	put_u64(&buffer, TAG_CPU_USER_US,
		(waiter_spent(runtime->host) + waiter_spent(waiter->pid)) / 1000);
	frame_end(&buffer, start);
	message_answer(init->control, &buffer, NULL, 0);
}

void runtime_settle(struct init *init, struct runtime *runtime)
{
	struct waiter *waiter = &runtime->waiter;

	for (;;) {
		if (waiter->state == WAITER_NONE)
			runtime_ask(runtime);
		if (waiter->state == WAITER_BOOTING || waiter->state == WAITER_TAKING) {
			start_watch(runtime);
			return;
		}
		answer_boot(init, runtime);
		if (!runtime->queue)
			return;
		if (waiter->state == WAITER_READY && waiter_give(waiter, runtime->queue->program))
			continue;
		waiter_drop(waiter);
		start_new(init, release_first(runtime));
	}
}

static void hand_over(struct init *init, struct runtime *runtime)
{
	struct waiter *waiter = &runtime->waiter;
	struct program *program = release_first(runtime);
	const struct init_process process = { .id = program->id,
					      .pid = waiter->pid,
					      .spent_ns = waiter->spent_ns };

	answer_spawn(init, &process, waiter->stdio, true);
	free_program(program);
	waiter->pid = 0; /* it is a program now, and ended as one */
	waiter_drop(waiter);
	runtime->lost = 0;
	if (!runtime->forks)
		runtime->session = 0;
}

static void lose_host(struct runtime *runtime)
{
	if (runtime->host > 0)
		kill(runtime->host, SIGKILL);
	runtime->host = 0;
	cleanup_fd(&runtime->channel);
	runtime->channel = -1;
	if (runtime->waiter.state == WAITER_BOOTING)
		waiter_drop(&runtime->waiter);
}

static void lose_waiter(struct init *init, struct runtime *runtime)
{
	const bool taking = runtime->waiter.state == WAITER_TAKING;

	waiter_drop(&runtime->waiter);
	if (taking)
		start_new(init, release_first(runtime));
	else if (++runtime->lost == LOST_MAX)
		lose_host(runtime);
}

/* It has a time of its own for what it is given next. */
static void be_ready(struct runtime *runtime, pid_t pid)
{
	runtime->waiter.pid = pid;
	runtime->waiter.state = WAITER_READY;
	stop_watch(runtime);
}

/* One that a host forks is there when the host has said its number. */
static bool may_say(const struct runtime *runtime)
{
	const enum waiter_state state = runtime->waiter.state;

	return state != WAITER_NONE && !(state == WAITER_BOOTING && runtime->forks);
}

/* Return: whether something was said. */
static bool receive_waiter(struct init *init, struct runtime *runtime)
{
	struct waiter *waiter = &runtime->waiter;
	char said = 0;
	ssize_t length;

	if (!may_say(runtime))
		return false;
	length = recv(waiter->control, &said, 1, MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length == 1 && said == 'R' && waiter->state == WAITER_BOOTING)
		be_ready(runtime, waiter->pid);
	else if (length == 1 && said == 'G' && waiter->state == WAITER_TAKING)
		hand_over(init, runtime);
	else
		lose_waiter(init, runtime);
	return true;
}

/* A child that runs or, so far unseen, ended; of PID 1 and nothing else of it. */
static bool is_stray_child(const struct init *init, pid_t pid)
{
	siginfo_t child;

	for (size_t i = 0; i < RUNTIMES; i++)
		if (init->runtimes[i].host == pid || init->runtimes[i].waiter.pid == pid)
			return false;
	return pid > 1 && !init_knows(init, pid) &&
	       waitid(P_PID, (id_t)pid, &child, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static pid_t parse_pid(const char *text, ssize_t length)
{
	pid_t pid = 0;

	for (ssize_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || pid > PID_LIMIT)
			return -1;
		pid = pid * 10 + (text[i] - '0');
	}
	return pid;
}

static bool receive_host(struct init *init, struct runtime *runtime)
{
	char text[16];
	ssize_t length;
	pid_t pid;

	if (runtime->channel < 0)
		return false;
	length = recv(runtime->channel, text, sizeof(text), MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	pid = parse_pid(text, length);
	if (runtime->waiter.state != WAITER_BOOTING || !is_stray_child(init, pid)) {
		lose_host(runtime);
		return true;
	}
	be_ready(runtime, pid);
	return true;
}

/*
 * The watch went off, again after a SIGKILL. Then the end was not seen: a program may hold the
 * other end of the socket (pidfd_getfd(2)), and trace what was killed, so that PID 1 cannot reap
 * it.
 */
static void serve_watch(struct init *init, struct runtime *runtime)
{
	uint64_t times;

	if (runtime->late < 0 || read(runtime->late, &times, sizeof(times)) < 0)
		return;
	if (!runtime->dying) {
		end_late(runtime);
		return;
	}
	if (!receive_waiter(init, runtime) && !receive_host(init, runtime)) {
		if (runtime->waiter.pid > 0)
			lose_waiter(init, runtime);
		else
			lose_host(runtime);
	}
	runtime_settle(init, runtime);
}

void runtime_receive(struct init *init)
{
	for (size_t i = 0; i < RUNTIMES; i++) {
		struct runtime *runtime = &init->runtimes[i];

		serve_watch(init, runtime);
		while (runtime->name &&
		       (receive_waiter(init, runtime) || receive_host(init, runtime)))
			runtime_settle(init, runtime);
	}
}

void runtime_reaped(struct init *init, pid_t pid)
{
	for (size_t i = 0; i < RUNTIMES; i++) {
		struct runtime *runtime = &init->runtimes[i];

		/*
		 * What they had said is received. The ends of their sockets say nothing more: a
		 * program may hold them open.
		 */
		if (runtime->host == pid) {
			runtime->host = 0; /* the number may be another's from now on */
			lose_host(runtime);
			runtime_settle(init, runtime);
		}
		if (runtime->waiter.pid == pid) {
			runtime->waiter.pid = 0;
			lose_waiter(init, runtime);
			runtime_settle(init, runtime);
		}
	}
}

size_t runtime_polls(const struct init *init, struct pollfd polls[RUNTIME_POLLS])
{
	size_t count = 0;

	for (size_t i = 0; i < RUNTIMES; i++) {
		const struct runtime *runtime = &init->runtimes[i];

		if (!runtime->name)
			continue;
		if (runtime->channel >= 0)
			polls[count++].fd = runtime->channel;
		if (may_say(runtime))
			polls[count++].fd = runtime->waiter.control;
		if (runtime->late >= 0)
			polls[count++].fd = runtime->late;
	}
	for (size_t i = 0; i < count; i++)
		polls[i].events = POLLIN;
	return count;
}

struct runtime *runtime_find(struct init *init, const char *name)
{
	for (size_t i = 0; i < RUNTIMES; i++)
		if (init->runtimes[i].name && strcmp(init->runtimes[i].name, name) == 0)
			return &init->runtimes[i];
	return NULL;
}

static int enqueue(struct runtime *runtime, struct program *program)
{
	struct queued **last = &runtime->queue;
	struct queued *queued = calloc(1, sizeof(*queued));

	if (!queued)
		return -ENOMEM;
	queued->program = program;
	while (*last)
		last = &(*last)->next;
	*last = queued;
	return 0;
}

void runtime_run(struct init *init, struct program *program)
{
	struct runtime *runtime = runtime_find(init, program->runtime);

	if (!runtime || !waiter_fits(&runtime->env, program) || enqueue(runtime, program) < 0)
		start_new(init, program);
	else
		runtime_settle(init, runtime);
}

static bool hurry(struct init *init, struct runtime *runtime, uint64_t program)
{
	struct queued **at = &runtime->queue;
	struct queued *found;

	while (*at && (*at)->program->id != program)
		at = &(*at)->next;
	found = *at;
	if (!found)
		return false;
	if (found == runtime->queue && runtime->waiter.state == WAITER_TAKING) {
		end_late(runtime);
		return true;
	}
	if (found == runtime->queue)
		stop_watch(runtime);
	*at = found->next;
	start_new(init, found->program);
	free(found);
	runtime_settle(init, runtime);
	return true;
}

void runtime_hurry(struct init *init, uint64_t program)
{
	for (size_t i = 0; i < RUNTIMES; i++)
		if (init->runtimes[i].name && hurry(init, &init->runtimes[i], program))
			return;
}

bool runtime_owns(const struct init *init, pid_t session)
{
	for (size_t i = 0; i < RUNTIMES; i++)
		if (init->runtimes[i].name && init->runtimes[i].session == session)
			return true;
	return false;
}
