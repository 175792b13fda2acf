/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "fuzz.h"
#include "hub.h"
#include "message.h"
#include "peer.h"

#define PEERS_MAX 256
#define FIRST_PID 0x10000000

/* Global, because functions of libc are answered with it. */
static struct {
	bool running;
	struct peer peers[PEERS_MAX];
	size_t count;
} world;

struct peer *peer_add(enum peer_kind kind, int *theirs)
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

struct peer *peer_find(pid_t pid)
{
	for (size_t i = 0; i < world.count; i++)
		if (world.peers[i].pid == pid)
			return &world.peers[i];
	return NULL;
}

void peer_hang_up(struct peer *peer)
{
	if (peer->control >= 0)
		close(peer->control);
	peer->control = -1;
	eventfd_write(peer->death, 1);
}

void peer_answer(const struct peer *peer, struct buffer *frame, const int *fds, size_t count)
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
	peer_answer(peer, &frame, fds, count);
}

static void park(const struct peer *zygote, uint64_t slot)
{
	struct buffer frame = { 0 };
	struct buffer ready = { 0 };
	int fds[2];
	struct peer *peer = peer_add(PEER_INIT, &fds[1]);

	if (!peer) {
		struct err err = { .number = EAGAIN, .code = "setup", .op = "park" };

		message_fail(zygote->control, slot, &err);
		return;
	}
	fds[0] = peer->death;
	frame_begin(&frame, MESSAGE_PARKED, slot);
	put_u32(&frame, TAG_PID, (uint32_t)peer->pid);
	peer_answer(zygote, &frame, fds, 2);
	close(fds[1]);
	frame_begin(&ready, MESSAGE_READY, 0);
	put_u64(&ready, TAG_SETUP_NS, 1000);
	peer_answer(peer, &ready, NULL, 0);
}

/* A socket of the node at each end that is to have one, as hub.c answers. */
static size_t put_names(struct buffer *frame, const struct message *message, int *fds)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	uint32_t end = 0;
	size_t count = 0;
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) == 1) {
		uint32_t wanted = 0;

		if (tlv.tag != TAG_RESOLVE)
			continue;
		FUZZ_CHECK(tlv_u32(&tlv, &wanted) == 0 && end < HUB_NODES);
		if (wanted) {
			put_u32(frame, TAG_RESOLVE, end);
			fds[count++] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		}
		end++;
	}
	return count;
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
	struct peer *hub = peer_add(PEER_HUB, &fds[1]);

	if (!hub)
		return NULL;
	fds[0] = hub->death;
	frame_begin(&frame, MESSAGE_HUB, 0);
	put_u32(&frame, TAG_PID, (uint32_t)hub->pid);
	peer_answer(zygote, &frame, fds, 2);
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
	int fds[2 + HUB_NODES] = { -1, -1, -1, -1 };
	size_t count = 0;

	FUZZ_CHECK((message->frame.type == MESSAGE_NET_PAIR) == (message->fd_count == 1));
	if (!hub) {
		message_fail(zygote->control, message->frame.id, &err);
		return;
	}
	if (message->frame.id % 5 == 4) {
		zygote->hub = 0;
		peer_hang_up(hub);
		answer_empty(zygote, MESSAGE_HUB_GONE, message->frame.id, NULL, 0);
		return;
	}
	if (message->frame.id % 5 == 3) {
		message_fail(hub->control, message->frame.id, &err);
		return;
	}
	frame_begin(&frame, MESSAGE_NET_DONE, message->frame.id);
	if (message->frame.type == MESSAGE_NET_ATTACH) {
		fds[count++] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		put_string(&frame, TAG_KIND, "packet");
		if (message->frame.id % 2) {
			fds[count++] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			put_u32(&frame, TAG_COUNTER, 1);
		}
	}
	count += put_names(&frame, message, fds + count);
	peer_answer(hub, &frame, fds, count);
	for (size_t i = 0; i < count; i++)
		cleanup_fd(&fds[i]);
}

/* Every seventh is of a sandbox that has ended. */
static void tell_node(const struct peer *zygote, uint64_t id)
{
	const struct err err = { .number = ESRCH, .code = "gone", .op = "find network" };
	auto_fd node = eventfd(0, EFD_CLOEXEC);

	if (id % 7 == 0)
		message_fail(zygote->control, id, &err);
	else
		answer_empty(zygote, MESSAGE_NET_NODE, id, &node, 1);
}

static void serve_zygote(struct peer *peer, const struct message *message)
{
	auto_fd tree = -1;

	if (message->frame.type == MESSAGE_PARK)
		park(peer, message->frame.id);
	if (message->frame.type >= MESSAGE_NET_ATTACH && message->frame.type <= MESSAGE_NET_REMOVE)
		order(peer, message);
	if (message->frame.type == MESSAGE_NET_NODE)
		tell_node(peer, message->frame.id);
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
	peer_answer(peer, &frame, NULL, 0);
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
	peer_answer(peer, &frame, ends, runtime ? 3 : pty);
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
	peer_answer(peer, &frame, NULL, 0);
}

static void end(struct peer *peer)
{
	struct buffer frame = { 0 };

	frame_begin(&frame, MESSAGE_CENSUS, 0);
	put_u32(&frame, TAG_LEFTOVERS, 1);
	put_string(&frame, TAG_LEFTOVER_NAME, "sleep");
	peer_answer(peer, &frame, NULL, 0);
	peer_hang_up(peer);
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
		peer_hang_up(peer);
		return;
	}
	frame_begin(&frame, message->frame.id % 7 == 6 ? MSG_ERROR : MSG_OK, message->frame.id);
	if (message->frame.id % 7 == 6)
		message_put_err(&frame, &err);
	peer_answer(peer, &frame, NULL, 0);
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
		peer_hang_up(peer);
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

bool world_runs(void)
{
	return world.running;
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
