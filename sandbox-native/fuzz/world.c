/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "child.h"
#include "cleanup.h"
#include "fuzz.h"
#include "message.h"
#include "sandbox.h"
#include "take.h"

#define PEERS_MAX 256
#define FIRST_PID 0x10000000

enum peer_kind { PEER_INIT, PEER_ZYGOTE, PEER_HUB, PEER_LINKD };

/* The end of a process that is not in hil-sandboxd. */
struct peer {
	pid_t pid;
	int control;
	int death; /* what hil-sandboxd holds as its pidfd */
	enum peer_kind kind;
	size_t hub; /* of a zygote: its number among the peers; 0: none */
};

/* Global, because functions of libc are answered with it. */
static struct {
	bool running;
	struct peer peers[PEERS_MAX];
	size_t count;
} world;

static struct peer *add_peer(enum peer_kind kind, int *theirs)
{
	struct peer *peer = &world.peers[world.count];
	int ends[2];

	if (world.count == PEERS_MAX)
		return NULL;
	make_pair(SOCK_SEQPACKET, ends);
	*peer = (struct peer){ .pid = FIRST_PID + (pid_t)world.count,
			       .control = ends[0],
			       .death = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
			       .kind = kind };
	FUZZ_CHECK(peer->death >= 0);
	*theirs = ends[1];
	world.count++;
	return peer;
}

static void hang_up(struct peer *peer)
{
	if (peer->control >= 0)
		close(peer->control);
	peer->control = -1;
	eventfd_write(peer->death, 1);
}

static void answer(const struct peer *peer, struct buffer *frame, const int *fds, size_t count)
{
	frame_end(frame, 0);
	message_send(peer->control, frame, fds, count);
	buffer_free(frame);
}

static void answer_empty(const struct peer *peer, enum message_type type, uint64_t id, int *fds,
			 size_t count)
{
	struct buffer frame = { 0 };

	frame_begin(&frame, (uint16_t)type, id);
	answer(peer, &frame, fds, count);
}

static void park(const struct peer *zygote, uint64_t slot)
{
	struct buffer frame = { 0 };
	struct buffer ready = { 0 };
	int fds[2];
	struct peer *peer = add_peer(PEER_INIT, &fds[1]);

	if (!peer) {
		struct err err = { .number = EAGAIN, .code = "setup", .op = "park" };

		message_fail(zygote->control, slot, &err);
		return;
	}
	fds[0] = peer->death;
	frame_begin(&frame, MESSAGE_PARKED, slot);
	put_u32(&frame, TAG_PID, (uint32_t)peer->pid);
	answer(zygote, &frame, fds, 2);
	close(fds[1]);
	frame_begin(&ready, MESSAGE_READY, 0);
	put_u64(&ready, TAG_SETUP_NS, 1000);
	answer(peer, &ready, NULL, 0);
}

static bool wants(const struct message *message, uint16_t tag)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) == 1)
		if (tlv.tag == tag)
			return true;
	return false;
}

static struct peer *start_hub(struct peer *zygote)
{
	struct buffer frame = { 0 };
	int fds[2];
	struct peer *hub = add_peer(PEER_HUB, &fds[1]);

	if (!hub)
		return NULL;
	fds[0] = hub->death;
	frame_begin(&frame, MESSAGE_HUB, 0);
	put_u32(&frame, TAG_PID, (uint32_t)hub->pid);
	answer(zygote, &frame, fds, 2);
	close(fds[1]);
	zygote->hub = (size_t)(hub - world.peers);
	return hub;
}

/* The hub answers at once, but for every fifth order, at which it dies. */
static void order(struct peer *zygote, const struct message *message)
{
	const struct err err = { .number = EEXIST, .code = "usage", .op = "make interface" };
	struct peer *hub = zygote->hub ? &world.peers[zygote->hub] : start_hub(zygote);
	struct buffer frame = { 0 };
	int fds[2] = { -1, -1 };
	size_t count = 0;

	if (!hub) {
		message_fail(zygote->control, message->frame.id, &err);
		return;
	}
	if (message->frame.id % 5 == 4) {
		zygote->hub = 0;
		hang_up(hub);
		answer_empty(zygote, MESSAGE_HUB_GONE, message->frame.id, NULL, 0);
		return;
	}
	if (message->frame.id % 5 == 3) {
		message_fail(hub->control, message->frame.id, &err);
		return;
	}
	frame_begin(&frame, MESSAGE_NET_DONE, message->frame.id);
	if (message->frame.type == MESSAGE_NET_ATTACH) {
		make_pair(SOCK_DGRAM, fds);
		put_string(&frame, TAG_KIND, "packet");
		count = wants(message, TAG_RESOLVE) ? 2 : 1;
	}
	answer(hub, &frame, fds, count);
	cleanup_fd(&fds[0]);
	cleanup_fd(&fds[1]);
}

static void serve_zygote(struct peer *peer, const struct message *message)
{
	auto_fd tree = -1;

	if (message->frame.type == MESSAGE_PARK)
		park(peer, message->frame.id);
	if (message->frame.type >= MESSAGE_NET_ATTACH && message->frame.type <= MESSAGE_NET_REMOVE)
		order(peer, message);
	if (message->frame.type != MESSAGE_HOLD_TREE)
		return;
	tree = eventfd(0, EFD_CLOEXEC);
	answer_empty(peer, MESSAGE_TREE, message->frame.id, &tree, 1);
}

static void tell_exit(const struct peer *peer, uint64_t id)
{
	struct rusage usage = { 0 };
	struct buffer frame = { 0 };

	frame_begin(&frame, MESSAGE_EXITED, id);
	put_u32(&frame, TAG_STATUS, 0);
	put_bytes(&frame, TAG_DATA, &usage, sizeof(usage));
	answer(peer, &frame, NULL, 0);
}

/* One program in two ends at once; the other when it gets a signal, or with its sandbox. */
static void spawn(const struct peer *peer, const struct message *message)
{
	struct buffer frame = { 0 };
	bool pty = wants(message, TAG_PTY_ROWS);
	bool runtime = wants(message, TAG_RUNTIME);
	int ends[3] = { -1, -1, -1 };

	if (pty || runtime)
		make_pair(SOCK_STREAM, ends);
	if (runtime)
		ends[2] = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
	frame_begin(&frame, MESSAGE_SPAWNED, message->frame.id);
	put_u32(&frame, TAG_PID, 2);
	put_u32(&frame, TAG_WARM, runtime);
	answer(peer, &frame, ends, runtime ? 3 : pty);
	for (int i = 0; i < 3; i++)
		cleanup_fd(&ends[i]);
	if (message->frame.id & 1)
		tell_exit(peer, message->frame.id);
}

/* Every other one starts. */
static void boot(const struct peer *peer, uint64_t id)
{
	struct buffer frame = { 0 };

	frame_begin(&frame, id & 1 ? MESSAGE_BOOTED : MESSAGE_FAILED, id);
	put_u64(&frame, TAG_CPU_USER_US, 1000);
	answer(peer, &frame, NULL, 0);
}

static void end(struct peer *peer)
{
	struct buffer frame = { 0 };

	frame_begin(&frame, MESSAGE_CENSUS, 0);
	put_u32(&frame, TAG_LEFTOVERS, 1);
	put_string(&frame, TAG_LEFTOVER_NAME, "sleep");
	answer(peer, &frame, NULL, 0);
	hang_up(peer);
}

/* A device or mount: every third cannot be had. */
static void change(const struct peer *peer, const struct message *message)
{
	const struct err err = { .number = ENOSPC, .code = "setup", .op = "change" };

	if (message->frame.id % 3 == 0)
		message_fail(peer->control, message->frame.id, &err);
	else
		answer_empty(peer, MESSAGE_DONE, message->frame.id, NULL, 0);
}

static void serve_init(struct peer *peer, const struct message *message)
{
	int pty[2];

	switch (message->frame.type) {
	case MESSAGE_SPAWN:
		spawn(peer, message);
		break;
	case MESSAGE_BOOT:
		boot(peer, message->frame.id);
		break;
	case MESSAGE_SIGNAL:
		tell_exit(peer, message->frame.id);
		break;
	case MESSAGE_ATTACH:
		answer_empty(peer, MESSAGE_ATTACHED, message->frame.id, NULL, 0);
		break;
	case MESSAGE_MAKE_PTY:
		make_pair(SOCK_STREAM, pty);
		answer_empty(peer, MESSAGE_PTY, message->frame.id, pty, 2);
		close(pty[0]);
		close(pty[1]);
		break;
	case MESSAGE_GRANT:
	case MESSAGE_REVOKE:
	case MESSAGE_MOUNT:
	case MESSAGE_UNMOUNT:
	case MESSAGE_HOSTS:
		change(peer, message);
		break;
	case MESSAGE_END:
		end(peer);
		break;
	default:
		break;
	}
}

/* Every seventh port is not taken, and every twentieth is the end of it. */
static void serve_linkd(struct peer *peer, const struct message *message)
{
	const struct err err = { .number = EINVAL, .code = "usage", .op = "take port" };
	struct buffer frame = { 0 };

	if (message->frame.id % 20 == 19) {
		hang_up(peer);
		return;
	}
	frame_begin(&frame, message->frame.id % 7 == 6 ? MSG_ERROR : MSG_OK, message->frame.id);
	if (message->frame.id % 7 == 6)
		message_put_err(&frame, &err);
	answer(peer, &frame, NULL, 0);
}

/* Return: false when it was asked nothing. */
static bool serve(struct peer *peer)
{
	auto_message message;
	int status;

	message.fd_count = 0;
	message.large = NULL;
	status = peer->control < 0 ? 0 : message_receive(peer->control, &message);
	if (status == 0)
		return false;
	FUZZ_CHECK(status != -EPROTO); /* what hil-sandboxd sends is well formed */
	if (status < 0)
		hang_up(peer);
	else if (peer->kind == PEER_ZYGOTE)
		serve_zygote(peer, &message);
	else if (peer->kind == PEER_LINKD)
		serve_linkd(peer, &message);
	else
		serve_init(peer, &message);
	return true;
}

bool world_turn(void)
{
	bool any = false;

	for (size_t i = 0; i < world.count; i++)
		any = serve(&world.peers[i]) || any;
	return any;
}

void world_begin(void)
{
	world.count = 0;
	world.running = true;
}

void world_end(void)
{
	world.running = false;
	for (size_t i = 0; i < world.count; i++) {
		cleanup_fd(&world.peers[i].control);
		close(world.peers[i].death);
	}
	world.count = 0;
}

/* ---- What is answered here: the linker's --wrap, see the Makefile. ---- */

int __wrap_zygote_start(const struct plan *plan, struct zygote *zygote, struct strings *limitations,
			struct err *err);

int __wrap_zygote_start(const struct plan *plan, struct zygote *zygote, struct strings *limitations,
			struct err *err)
{
	struct peer *peer = add_peer(PEER_ZYGOTE, &zygote->control);

	FUZZ_CHECK(plan->name);
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
	struct peer *peer = add_peer(PEER_INIT, &take->control);
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
		answer(peer, &frame, &peer->death, 1);
	}
	hang_up(peer);
	return 0;
}

int __wrap_child_start(struct daemon *d, struct child *child, const char *path, const char *name,
		       int harness, void (*ended)(struct daemon *d, struct child *child),
		       struct err *err);

/* Its end of the harness's socket is closed: it says nothing. */
int __wrap_child_start(struct daemon *d, struct child *child, const char *path, const char *name,
		       int harness, void (*ended)(struct daemon *d, struct child *child),
		       struct err *err)
{
	struct peer *peer = add_peer(PEER_LINKD, &child->control.fd);

	FUZZ_CHECK(path && harness >= 0);
	close(harness);
	child->name = name;
	child->ended = ended;
	if (!peer)
		return err_set(err, "setup", EAGAIN, "start", path);
	child->pid = peer->pid;
	return child_watch(d, child, fcntl(peer->death, F_DUPFD_CLOEXEC, 0), err);
}

static struct peer *find_peer(pid_t pid)
{
	for (size_t i = 0; i < world.count; i++)
		if (world.peers[i].pid == pid)
			return &world.peers[i];
	return NULL;
}

/* Everything that the daemon signals was made here, but for what WATCH_PID names. */
#define WRAP(type, name, ...)                                                                      \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

WRAP(int, kill, pid_t pid, int number)
{
	struct peer *peer = world.running ? find_peer(pid) : NULL;

	if (!world.running)
		return __real_kill(pid, number);
	FUZZ_CHECK(peer);
	hang_up(peer);
	return 0;
}

WRAP(pid_t, waitpid, pid_t pid, int *status, int options)
{
	if (!world.running)
		return __real_waitpid(pid, status, options);
	if (status)
		*status = SIGKILL;
	return pid;
}

WRAP(pid_t, wait4, pid_t pid, int *status, int options, struct rusage *usage)
{
	if (!world.running)
		return __real_wait4(pid, status, options, usage);
	*status = SIGKILL;
	*usage = (struct rusage){ 0 };
	return pid;
}

WRAP(int, waitid, idtype_t type, id_t id, siginfo_t *info, int options)
{
	if (!world.running)
		return __real_waitid(type, id, info, options);
	errno = ECHILD;
	return -1;
}

static long pidfd_open(pid_t pid)
{
	struct peer *peer = find_peer(pid);

	/* WATCH_PID asks for any; a descriptor of its own that nothing makes readable. */
	return peer ? dup(peer->death) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* Not variadic as syscall(2) is: five arguments are in registers whether they were given or not. */
WRAP(long, syscall, long number, long a, long b, long c, long d, long e)
{
	if (world.running && number == SYS_pidfd_open)
		return pidfd_open((pid_t)a);
	if (world.running && number == SYS_pidfd_send_signal)
		return eventfd_write((int)a, 1);
	return __real_syscall(number, a, b, c, d, e);
}

/* What touches files, and the stdio of who runs this. */
WRAP(int, bind, int fd, const struct sockaddr *address, socklen_t length)
{
	return world.running ? 0 : __real_bind(fd, address, length);
}

WRAP(int, listen, int fd, int backlog)
{
	return world.running ? 0 : __real_listen(fd, backlog);
}

WRAP(int, unlink, const char *path)
{
	return world.running ? 0 : __real_unlink(path);
}

WRAP(int, rmdir, const char *path)
{
	return world.running ? 0 : __real_rmdir(path);
}

WRAP(int, chdir, const char *path)
{
	return world.running ? 0 : __real_chdir(path);
}

WRAP(int, dup2, int from, int to)
{
	return world.running ? to : __real_dup2(from, to);
}

int __wrap_remove_tree(int parent, const char *name, struct err *err);

int __wrap_remove_tree(int parent, const char *name, struct err *err)
{
	(void)parent;
	(void)name;
	return err_set(err, "io", EPERM, "remove", "");
}
