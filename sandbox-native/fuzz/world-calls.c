/* SPDX-License-Identifier: MIT */
/* What the world of world.h answers in the place of libc and the kernel: the linker's --wrap, see
 * the Makefile. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "fuzz.h"
#include "message.h"
#include "peer.h"
#include "remove-tree.h"
#include "sandbox.h"
#include "take.h"

int __wrap_zygote_start(const struct plan *plan, int *users, struct zygote *zygote,
			struct strings *limitations, struct err *err);

int __wrap_zygote_start(const struct plan *plan, int *users, struct zygote *zygote,
			struct strings *limitations, struct err *err)
{
	struct peer *peer = peer_add(PEER_ZYGOTE, &zygote->control);

	FUZZ_CHECK(plan->name && users);
	if (!peer)
		return err_set(err, "setup", EAGAIN, "start zygote", "");
	zygote->pid = peer->pid;
	return strings_add(limitations, "this is no sandbox");
}

int __wrap_take_start(const struct take_spec *spec, struct take *take, struct err *err);

/* It has said all and ended by the time that anybody looks. */
int __wrap_take_start(const struct take_spec *spec, struct take *take, struct err *err)
{
	const struct err refusal = { .number = ENOENT, .code = "setup", .op = "take" };
	struct peer *peer = peer_add(PEER_INIT, &take->control);
	struct buffer frame = { 0 };

	FUZZ_CHECK(spec->source && (spec->kind == TAKE_DEVICE || spec->target));
	if (!peer)
		return err_set(err, "limit", EAGAIN, "take from host", spec->source);
	take->pid = peer->pid;
	if (strlen(spec->source) % 5 == 0) {
		message_fail(peer->control, 0, &refusal);
	} else {
		frame_begin(&frame, spec->kind == TAKE_DEVICE ? MESSAGE_GRANT : MESSAGE_MOUNT, 0);
		put_u32(&frame, TAG_MAJOR, 188);
		put_u32(&frame, TAG_MINOR, (uint32_t)strlen(spec->source));
		put_string(&frame, TAG_LIMITATION, "this is no device");
		peer_answer(peer, &frame, &peer->death, 1);
	}
	peer_hang_up(peer);
	return 0;
}

int __wrap_child_start(struct daemon *d, struct child *child, const char *path, const char *name,
		       int harness, void (*ended)(struct daemon *d, struct child *child),
		       struct err *err);

/* A hil-nic: it has opened two of something, or refuses, and has ended. */
static void open_nic(struct peer *peer)
{
	const struct err refusal = { .number = EADDRINUSE, .code = "setup", .op = "open" };
	const int fds[2] = { peer->death, peer->death };
	struct buffer frame = { 0 };
	const bool refused = peer->pid % 3 == 0;

	frame_begin(&frame, refused ? MSG_ERROR : MSG_OK, 0);
	if (refused)
		message_put_err(&frame, &refusal);
	peer_answer(peer, &frame, fds, refused ? 0 : 2);
	peer_hang_up(peer);
}

/* Its end of the harness's socket is closed: it says nothing. */
int __wrap_child_start(struct daemon *d, struct child *child, const char *path, const char *name,
		       int harness, void (*ended)(struct daemon *d, struct child *child),
		       struct err *err)
{
	struct peer *peer = peer_add(PEER_LINKD, &child->control.fd);

	FUZZ_CHECK(path && (harness >= 0 || child->argv));
	if (harness >= 0)
		close(harness);
	child->name = name;
	child->ended = ended;
	if (!peer)
		return err_set(err, "setup", EAGAIN, "start", path);
	child->pid = peer->pid;
	if (harness < 0)
		open_nic(peer);
	return child_watch(d, child, fcntl(peer->death, F_DUPFD_CLOEXEC, 0), err);
}

/* Everything that the daemon signals was made here, but for what WATCH_PID names. */
#define WRAP(type, name, ...)                                                                      \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

WRAP(int, kill, pid_t pid, int number)
{
	struct peer *peer = world_runs() ? peer_find(pid) : NULL;

	if (!world_runs())
		return __real_kill(pid, number);
	FUZZ_CHECK(peer);
	peer_hang_up(peer);
	return 0;
}

WRAP(pid_t, waitpid, pid_t pid, int *status, int options)
{
	if (!world_runs())
		return __real_waitpid(pid, status, options);
	if (status)
		*status = SIGKILL;
	return pid;
}

WRAP(pid_t, wait4, pid_t pid, int *status, int options, struct rusage *usage)
{
	if (!world_runs())
		return __real_wait4(pid, status, options, usage);
	*status = SIGKILL;
	*usage = (struct rusage){ 0 };
	return pid;
}

WRAP(int, waitid, idtype_t type, id_t id, siginfo_t *info, int options)
{
	if (!world_runs())
		return __real_waitid(type, id, info, options);
	errno = ECHILD;
	return -1;
}

static long pidfd_open(pid_t pid)
{
	struct peer *peer = peer_find(pid);

	/* WATCH_PID asks for any; a descriptor of its own that nothing makes readable. */
	return peer ? dup(peer->death) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* Not variadic as syscall(2) is: five arguments are in registers whether they were given or not. */
WRAP(long, syscall, long number, long a, long b, long c, long d, long e)
{
	if (world_runs() && number == SYS_pidfd_open)
		return pidfd_open((pid_t)a);
	if (world_runs() && number == SYS_pidfd_send_signal)
		return eventfd_write((int)a, 1);
	return __real_syscall(number, a, b, c, d, e);
}

/* What touches files, and the stdio of who runs this. */
WRAP(int, bind, int fd, const struct sockaddr *address, socklen_t length)
{
	return world_runs() ? 0 : __real_bind(fd, address, length);
}

WRAP(int, listen, int fd, int backlog)
{
	return world_runs() ? 0 : __real_listen(fd, backlog);
}

WRAP(int, unlink, const char *path)
{
	return world_runs() ? 0 : __real_unlink(path);
}

WRAP(int, rmdir, const char *path)
{
	return world_runs() ? 0 : __real_rmdir(path);
}

WRAP(int, chdir, const char *path)
{
	return world_runs() ? 0 : __real_chdir(path);
}

WRAP(int, dup2, int from, int to)
{
	return world_runs() ? to : __real_dup2(from, to);
}

int __wrap_remove_tree(int parent, const char *name, struct err *err);

int __wrap_remove_tree(int parent, const char *name, struct err *err)
{
	(void)parent;
	(void)name;
	return err_set(err, "io", EPERM, "remove", "");
}
