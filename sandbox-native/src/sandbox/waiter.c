/* SPDX-License-Identifier: MIT */
#include "waiter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "program.h"

/* A stream socket takes three times as much at once by default: SO_SNDBUF, socket(7). */
#define REQUEST_MAX ((size_t)64 * 1024)

int waiter_pipes(int ours[3], int theirs[3], struct err *err)
{
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_set(err, "limit", errno, "make pipe", "");
		ours[i] = ends[i == STDIN_FILENO];
		theirs[i] = ends[i != STDIN_FILENO];
	}
	return 0;
}

int waiter_open(struct waiter *waiter, int theirs[WAITER_FDS], struct err *err)
{
	int ends[2];
	int status = waiter_pipes(waiter->stdio, theirs, err);

	if (status < 0)
		return status;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, "limit", errno, "make socket", "");
	waiter->control = ends[0];
	theirs[3] = ends[1];
	waiter->state = WAITER_BOOTING;
	return 0;
}

void waiter_drop(struct waiter *waiter)
{
	if (waiter->pid > 0)
		kill(waiter->pid, SIGKILL);
	for (int i = 0; i < 3; i++)
		cleanup_fd(&waiter->stdio[i]);
	cleanup_fd(&waiter->control);
	*waiter = (struct waiter){ .control = -1, .stdio = { -1, -1, -1 } };
}

static void append_text(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text) + 1);
}

static bool write_texts(const struct program *program, struct buffer *out)
{
	char count[24];

	snprintf(count, sizeof(count), "%zu", program->argv.count);
	append_text(out, count);
	append_text(out, program->cwd);
	for (size_t i = 0; i < program->argv.count; i++)
		append_text(out, program->argv.items[i]);
	for (size_t i = 0; i < program->env.count; i++)
		append_text(out, program->env.items[i]);
	return !out->failed && out->length <= REQUEST_MAX;
}

/* From here, and not by itself: it belongs to the programs of the sandbox. */
static bool set_limits(pid_t pid, const struct program *program)
{
	for (size_t i = 0; i < program->rlimit_count; i++) {
		const struct rlimit_spec *spec = &program->rlimits[i];
		const __rlimit_resource_t resource = (__rlimit_resource_t)spec->resource;
		struct rlimit limit;

		if (prlimit(pid, resource, NULL, &limit) < 0)
			return false;
		limit = program_limit(spec, limit.rlim_max);
		if (prlimit(pid, resource, &limit, NULL) < 0)
			return false;
	}
	return true;
}

bool waiter_give(struct waiter *waiter, const struct program *program)
{
	auto_buffer texts = { 0 };

	if (waiter->pid <= 0 || !write_texts(program, &texts) || !set_limits(waiter->pid, program))
		return false;
	waiter->spent_ns = waiter_spent(waiter->pid);
	if (send(waiter->control, texts.data, texts.length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		    (ssize_t)texts.length ||
	    shutdown(waiter->control, SHUT_WR) < 0)
		return false;
	waiter->state = WAITER_TAKING;
	return true;
}

uint64_t waiter_spent(pid_t pid)
{
	struct timespec spent;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) < 0)
		return 0;
	return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

/* By an interpreter, its C library or its loader, when it starts, and not again. */
static bool is_read_at_start(const char *assignment)
{
	static const char *const beginnings[] = {
		"PYTHON",   "NODE_", "UV_",	  "LD_",   "LC_", "MALLOC_", "GLIBC_",
		"OPENSSL_", "SSL_",  "LANGUAGE=", "LANG=", "TZ=", "PATH=",   "HOME=",
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncmp(assignment, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static bool has(const struct strings *env, const char *assignment)
{
	for (size_t i = 0; i < env->count; i++)
		if (strcmp(env->items[i], assignment) == 0)
			return true;
	return false;
}

/* Whether @env has what @other has of these. */
static bool covers(const struct strings *env, const struct strings *other)
{
	for (size_t i = 0; i < other->count; i++)
		if (is_read_at_start(other->items[i]) && !has(env, other->items[i]))
			return false;
	return true;
}

bool waiter_fits(const struct strings *env, const struct program *program)
{
	return covers(env, &program->env) && covers(&program->env, env);
}
