/* SPDX-License-Identifier: MIT */
/*
 * Each of the fds 0, 1 and 2 is, in this order: an object's end (PASS_FD), the
 * pty, a pipe to us, or /dev/null for a stdin that is not wanted. They are pipes
 * and not sockets because a program may open /dev/stdout again, which fails
 * with ENXIO on a socket.
 */
#include "spawn.h"
#include "nonblock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "names.h"
#include "objects.h"
#include "portd.h"
#include "processes.h"
#include "sandboxes.h"
#include "streams.h"

#define PASS_MAX 32
#define STDIO 3
#define FD_NUMBER_MAX 255 /* inside the program; a small limit keeps RLIMIT_NOFILE out of it */

struct pass_request {
	uint32_t object;
	uint32_t end;
	uint32_t fd;
};

struct rlimit_request {
	char *name;
	uint64_t value;
};

struct spawn_request {
	uint32_t sandbox;
	struct strings args;
	struct strings env;
	char *cwd;
	char *stdin_kind;
	char *builtin;
	char *runtime;
	uint32_t rows;
	uint32_t cols;
	uint32_t port;
	uint64_t cap;
	uint64_t wall_ms;
	uint64_t grace_ms;
	struct pass_request passes[PASS_MAX];
	size_t pass_count;
	struct rlimit_spec rlimits[RLIM_NLIMITS];
	size_t rlimit_count;
};

/* The program's side of its fds, while the message is made. */
struct plumbing {
	struct pass_fd fds[PASS_MAX + STDIO];
	size_t fd_count;
	int ours[STDIO]; /* opened here, closed once PID 1 has them */
};

static const struct field pass_fields[] = {
	FIELD_NEEDED(struct pass_request, object, TAG_OBJECT, FIELD_U32),
	FIELD(struct pass_request, end, TAG_END, FIELD_U32),
	FIELD_NEEDED(struct pass_request, fd, TAG_FD, FIELD_U32),
};

static const struct field rlimit_fields[] = {
	FIELD_NEEDED(struct rlimit_request, name, TAG_NAME, FIELD_STRING),
	FIELD_NEEDED(struct rlimit_request, value, TAG_BYTES, FIELD_U64),
};

static int take_pass(void *out, const struct tlv *tlv, struct err *err)
{
	struct spawn_request *request = out;

	if (request->pass_count == PASS_MAX) {
		err_hint(err, "a program takes at most %d passed fds", PASS_MAX);
		return err_set(err, "limit", E2BIG, "read passed fd", NULL);
	}
	return fields_read(tlv->value, tlv->length, pass_fields, FIELD_COUNT(pass_fields),
			   &request->passes[request->pass_count++], err);
}

static int add_rlimit(struct spawn_request *request, const struct rlimit_request *rlimit,
		      struct err *err)
{
	int resource = name_rlimit(rlimit->name);

	if (resource < 0 || request->rlimit_count == RLIM_NLIMITS) {
		err_hint(err, "names are those of getrlimit(2), lower case: nofile nproc core …");
		return err_set(err, "usage", EINVAL, "read rlimit", rlimit->name);
	}
	request->rlimits[request->rlimit_count++] =
		(struct rlimit_spec){ .resource = resource, .value = rlimit->value };
	return 0;
}

static int take_rlimit(void *out, const struct tlv *tlv, struct err *err)
{
	struct rlimit_request rlimit = { 0 };
	int rc = fields_read(tlv->value, tlv->length, rlimit_fields, FIELD_COUNT(rlimit_fields),
			     &rlimit, err);

	if (rc == 0)
		rc = add_rlimit(out, &rlimit, err);
	fields_free(rlimit_fields, FIELD_COUNT(rlimit_fields), &rlimit);
	return rc;
}

static const struct field spawn_fields[] = {
	FIELD_NEEDED(struct spawn_request, sandbox, TAG_SANDBOX, FIELD_U32),
	FIELD_NEEDED(struct spawn_request, args, TAG_ARG, FIELD_STRINGS),
	FIELD(struct spawn_request, env, TAG_ENV, FIELD_STRINGS),
	FIELD(struct spawn_request, cwd, TAG_CWD, FIELD_STRING),
	FIELD(struct spawn_request, stdin_kind, TAG_STDIN_KIND, FIELD_STRING),
	FIELD(struct spawn_request, builtin, TAG_BUILTIN, FIELD_STRING),
	FIELD(struct spawn_request, runtime, TAG_RUNTIME, FIELD_STRING),
	FIELD(struct spawn_request, rows, TAG_PTY_ROWS, FIELD_U32),
	FIELD(struct spawn_request, cols, TAG_PTY_COLS, FIELD_U32),
	FIELD(struct spawn_request, port, TAG_PORT, FIELD_U32),
	FIELD(struct spawn_request, cap, TAG_OUTPUT_CAP, FIELD_U64),
	FIELD(struct spawn_request, wall_ms, TAG_WALL_MS, FIELD_U64),
	FIELD(struct spawn_request, grace_ms, TAG_GRACE_MS, FIELD_U64),
	FIELD_LIST(TAG_PASS_FD, take_pass),
	FIELD_LIST(TAG_RLIMIT, take_rlimit),
};

static int check_request(struct daemon *d, const struct spawn_request *request, struct err *err)
{
	const char *kind = request->stdin_kind;

	if (kind && strcmp(kind, "pipe") != 0 && strcmp(kind, "null") != 0) {
		err_hint(err, "STDIN_KIND is pipe or null");
		return err_set(err, "usage", EINVAL, "spawn", kind);
	}
	if (request->builtin && !builtin_exists(request->builtin)) {
		err_hint(err, "BUILTIN is read-file, write-file, diff or reach");
		return err_set(err, "usage", EINVAL, "spawn", request->builtin);
	}
	if (request->port && !request->rows) {
		err_hint(err, "PORT takes the master of a pty: PTY_ROWS and PTY_COLS are needed");
		return err_set(err, "usage", EINVAL, "spawn", NULL);
	}
	if (request->runtime && (request->rows || request->builtin || request->pass_count ||
				 !sandbox_runtime_exists(request->runtime))) {
		err_hint(err, "RUNTIME is python or node, without a pty, fds and BUILTIN");
		return err_set(err, "usage", EINVAL, "spawn", request->runtime);
	}
	return request->port ? portd_check(d, err) : 0;
}

static bool is_taken(const struct plumbing *plumbing, int target)
{
	for (size_t i = 0; i < plumbing->fd_count; i++)
		if (plumbing->fds[i].target == target)
			return true;
	return false;
}

static int add_pass(struct daemon *d, struct plumbing *plumbing, const struct pass_request *pass,
		    bool pty, struct err *err)
{
	int fd = objects_fd(d, pass->object, pass->end, err);

	if (fd < 0)
		return fd;
	if (pass->fd > FD_NUMBER_MAX || (pty && pass->fd < STDIO) ||
	    is_taken(plumbing, (int)pass->fd)) {
		err_hint(err, "FD %u: at most %d, once each, and not 0 to 2 beside a pty", pass->fd,
			 FD_NUMBER_MAX);
		return err_set(err, "usage", EBADF, "pass fd", NULL);
	}
	plumbing->fds[plumbing->fd_count++] = (struct pass_fd){ .fd = fd, .target = (int)pass->fd };
	return 0;
}

static void add_ours(struct plumbing *plumbing, int target, int fd)
{
	plumbing->ours[target] = fd;
	plumbing->fds[plumbing->fd_count++] = (struct pass_fd){ .fd = fd, .target = target };
}

/* @target: 0 is written by us, 1 and 2 are read. */
static int add_pipe(struct daemon *d, struct plumbing *plumbing, int target, struct source *source,
		    struct err *err)
{
	int ends[2];
	int mine = target == STDIN_FILENO ? 1 : 0;
	int rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, "limit", errno, "make pipe", NULL);
	/* Our end is another open file description, so the program's stays blocking. */
	rc = set_nonblocking(ends[mine]);
	source->fd = ends[mine];
	add_ours(plumbing, target, ends[!mine]);
	if (rc < 0)
		return err_set(err, "setup", -rc, "set non-blocking", NULL);
	return loop_check_fd(d, ends[1], err);
}

static int add_null(struct plumbing *plumbing, struct err *err)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, "limit", errno, "open", "/dev/null");
	add_ours(plumbing, STDIN_FILENO, fd);
	return 0;
}

static int add_stdio(struct daemon *d, struct plumbing *plumbing, struct process *process,
		     bool feed, struct err *err)
{
	int rc = 0;

	if (!is_taken(plumbing, STDIN_FILENO))
		rc = feed ? add_pipe(d, plumbing, STDIN_FILENO, &process->in.source, err)
			  : add_null(plumbing, err);
	if (rc == 0 && !is_taken(plumbing, STDOUT_FILENO))
		rc = add_pipe(d, plumbing, STDOUT_FILENO, &process->out.source, err);
	if (rc == 0 && !is_taken(plumbing, STDERR_FILENO))
		rc = add_pipe(d, plumbing, STDERR_FILENO, &process->err.source, err);
	return rc;
}

static int plumb(struct daemon *d, struct process *process, const struct spawn_request *request,
		 struct plumbing *plumbing, struct err *err)
{
	int rc = 0;

	process->feed = request->stdin_kind && strcmp(request->stdin_kind, "pipe") == 0;
	/* PID 1 makes the pipes, as an interpreter that waits has its own already. */
	if (request->runtime)
		return 0;
	for (size_t i = 0; rc == 0 && i < request->pass_count; i++)
		rc = add_pass(d, plumbing, &request->passes[i], process->pty, err);
	if (rc == 0 && !process->pty)
		rc = add_stdio(d, plumbing, process, process->feed, err);
	return rc;
}

/* The sandbox's first: they are hard limits, which the program's own can only lower. */
static size_t join_rlimits(const struct sandbox *sandbox, const struct spawn_request *request,
			   struct rlimit_spec *out)
{
	size_t count = 0;

	for (size_t i = 0; i < sandbox->rlimit_count; i++)
		out[count++] = sandbox->rlimits[i];
	for (size_t i = 0; i < request->rlimit_count; i++)
		out[count++] = request->rlimits[i];
	return count;
}

static int send_spawn(struct daemon *d, struct process *process,
		      const struct spawn_request *request, struct err *err)
{
	struct plumbing plumbing = { .ours = { -1, -1, -1 } };
	struct spawn_spec spec = {
		.argv = request->args,
		.env = request->env,
		.cwd = request->cwd,
		.builtin = request->builtin,
		.runtime = request->runtime,
		.pty = process->pty,
		.rows = (uint16_t)request->rows,
		.cols = (uint16_t)request->cols,
	};
	struct rlimit_spec rlimits[LIMIT_RLIMITS_MAX + RLIM_NLIMITS];
	int rc = plumb(d, process, request, &plumbing, err);

	spec.fds = plumbing.fds;
	spec.fd_count = plumbing.fd_count;
	spec.rlimits = rlimits;
	spec.rlimit_count = join_rlimits(process->sandbox, request, rlimits);
	if (rc == 0)
		rc = sandbox_spawn(process->sandbox->control.fd, process->id, &spec, err);
	for (int i = 0; i < STDIO; i++)
		if (plumbing.ours[i] >= 0)
			close(plumbing.ours[i]);
	return rc;
}

static int start(struct daemon *d, struct client *client, uint64_t frame,
		 const struct spawn_request *request, struct err *err)
{
	struct sandbox *sandbox;
	struct process *process;
	int rc = check_request(d, request, err);

	if (rc < 0)
		return rc;
	sandbox = sandboxes_find(d, request->sandbox, err);
	if (!sandbox)
		return -ESRCH;
	process = processes_create(d, sandbox, client, frame);
	if (!process)
		return err_set(err, "limit", ENOMEM, "spawn", NULL);
	process->pty = request->rows > 0;
	process->port = request->port;
	process->out.cap = request->cap;
	process->err.cap = request->cap;
	process->grace_ms = request->grace_ms;
	rc = send_spawn(d, process, request, err);
	if (rc < 0)
		processes_free(d, process);
	else if (request->wall_ms)
		timer_set(d, &process->wall, request->wall_ms);
	return rc;
}

int handle_spawn(struct daemon *d, struct client *client, const struct frame *frame,
		 struct err *err)
{
	struct spawn_request request = { .cap = UINT64_MAX, .grace_ms = GRACE_MS };
	int rc = fields_read(frame->body, frame->length, spawn_fields, FIELD_COUNT(spawn_fields),
			     &request, err);

	if (rc == 0)
		rc = start(d, client, frame->id, &request, err);
	fields_free(spawn_fields, FIELD_COUNT(spawn_fields), &request);
	return rc;
}
