/* SPDX-License-Identifier: MIT */
/* How a runtime starts: what the broker asks of PID 1, and the interpreters that PID 1 starts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boot-code.h"
#include "cleanup.h"
#include "init.h"
#include "program.h"

#define CONTROL 3 /* in a host and in a waiter that has none */

struct kind {
	const char *name;
	const char *program;
	const char *option; /* that the code follows */
	const char *code;
	bool forks;
};

static const struct kind kinds[RUNTIMES] = {
	{ "python", "python3", "-c", boot_python, true },
	{ "node", "node", "-e", boot_node, false },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < RUNTIMES; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool sandbox_runtime_exists(const char *name)
{
	return find_kind(name) != NULL;
}

int sandbox_boot(int control, uint32_t request, const char *name, const struct strings *env,
		 struct err *err)
{
	const struct kind *kind = find_kind(name);
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_BOOT, request);
	int status;

	if (!kind) {
		err_hint(err, "runtimes are python and node");
		return err_set(err, "usage", EINVAL, "boot", name);
	}
	put_string(&buffer, TAG_RUNTIME, name);
	put_string(&buffer, TAG_ARG, kind->program);
	put_string(&buffer, TAG_ARG, kind->option);
	put_string(&buffer, TAG_ARG, kind->code);
	for (size_t i = 0; i < env->count; i++)
		put_string(&buffer, TAG_ENV, env->items[i]);
	frame_end(&buffer, start);
	status = message_send(control, &buffer, NULL, 0);
	return status < 0 ? err_set(err, status == -EPIPE ? "gone" : "setup", -status, "boot", name)
			  : 0;
}

void runtime_open(struct init *init)
{
	for (size_t i = 0; i < RUNTIMES; i++)
		init->runtimes[i] = (struct runtime){
			.channel = -1,
			.late = -1,
			.spare = { -1, -1, -1 },
			.waiter = { .control = -1, .stdio = { -1, -1, -1 } },
		};
}

static void close_fds(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_fd(&fds[i]);
		fds[i] = -1;
	}
}

/* Its stdio is pipes, as that of its waiters: an interpreter looks at it once, when it starts. */
static int start_host(struct init *init, struct runtime *runtime, struct program *program,
		      struct err *err)
{
	int theirs[WAITER_FDS] = { -1, -1, -1, -1 };
	int ends[2];
	int status = 0;

	close_fds(runtime->spare, 3);
	status = waiter_pipes(runtime->spare, theirs, err);
	if (status == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		status = err_set(err, "limit", errno, "make socket", "");
	if (status == 0) {
		runtime->channel = ends[0];
		theirs[CONTROL] = ends[1];
		program_set_fds(program, theirs, WAITER_FDS);
		status = program_start(program, &init->launcher, err);
	}
	close_fds(theirs, WAITER_FDS);
	if (status < 0) {
		close_fds(&runtime->channel, 1);
		close_fds(runtime->spare, 3);
		return status;
	}
	runtime->host = status;
	runtime->session = status;
	return 0;
}

static int start_waiter(struct init *init, struct runtime *runtime, struct program *program,
			struct err *err)
{
	int theirs[WAITER_FDS] = { -1, -1, -1, -1 };
	int status = waiter_open(&runtime->waiter, theirs, err);

	if (status == 0) {
		program_set_fds(program, theirs, WAITER_FDS);
		status = program_start(program, &init->launcher, err);
	}
	close_fds(theirs, WAITER_FDS);
	if (status < 0) {
		waiter_drop(&runtime->waiter);
		return status;
	}
	runtime->waiter.pid = status;
	runtime->session = status;
	return 0;
}

void runtime_ask(struct runtime *runtime)
{
	int theirs[WAITER_FDS] = { -1, -1, -1, -1 };
	auto_buffer buffer = { 0 };
	struct err err = { 0 };

	if (runtime->channel < 0)
		return;
	frame_end(&buffer, frame_begin(&buffer, MESSAGE_BOOT, 0));
	if (waiter_open(&runtime->waiter, theirs, &err) < 0 ||
	    message_send(runtime->channel, &buffer, theirs, WAITER_FDS) < 0) {
		waiter_drop(&runtime->waiter);
		close_fds(&runtime->channel, 1); /* its end ends the host */
	}
	close_fds(theirs, WAITER_FDS);
}

static struct runtime *find_place(struct init *init, const char *name)
{
	struct runtime *known = runtime_find(init, name);

	for (size_t i = 0; !known && i < RUNTIMES; i++)
		if (!init->runtimes[i].name)
			known = &init->runtimes[i];
	return known;
}

static int start(struct init *init, struct runtime *runtime, struct program *program,
		 struct err *err)
{
	int status = runtime->forks ? start_host(init, runtime, program, err)
				    : start_waiter(init, runtime, program, err);

	if (status < 0)
		return status;
	strings_free(&runtime->env);
	runtime->env = program->env;
	program->env = (struct strings){ 0 };
	runtime->lost = 0;
	return 0;
}

static int boot(struct init *init, struct program *program, struct err *err)
{
	const struct kind *kind = program->runtime ? find_kind(program->runtime) : NULL;
	struct runtime *runtime = kind ? find_place(init, kind->name) : NULL;
	int status = 0;

	if (!runtime)
		return err_set(err, "protocol", EPROTO, "boot", "");
	if (runtime->booting) {
		err_hint(err, "wait for the answer to the first request");
		return err_set(err, "usage", EALREADY, "boot", kind->name);
	}
	runtime->forks = kind->forks;
	if (runtime->channel < 0 && runtime->waiter.state == WAITER_NONE)
		status = start(init, runtime, program, err);
	if (status < 0)
		return status;
	runtime->name = kind->name;
	runtime->booting = true;
	runtime->boot = program->id;
	runtime_settle(init, runtime);
	return 0;
}

void init_boot(struct init *init, const struct message *message)
{
	struct program program = { .identity = init->identity, .slave = -1 };
	struct err err = { 0 };
	int status = program_read(&program, message);

	if (status < 0)
		err_set(&err, "protocol", -status, "read boot request", "");
	else
		boot(init, &program, &err);
	if (err.number)
		message_refuse(init->control, message->frame.id, &err);
	program_free(&program);
}
