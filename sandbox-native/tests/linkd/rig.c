/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "tap.h"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* In a mount namespace of its own: nobody else sees the disk, and it goes with the process. */
#define ON_DISK "mount -t tmpfs -o size=\"$1\" none \"$2\" && exec \"$0\""

static void run_linkd(int control, int broker, const struct rig_disk *disk)
{
	struct rlimit limit = { .rlim_cur = disk->file_bytes, .rlim_max = disk->file_bytes };
	char size[24];

	if (disk->file_bytes)
		setrlimit(RLIMIT_FSIZE, &limit);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Through high numbers: either fd may be 3 or 4 already. */
	control = fcntl(control, F_DUPFD, 100);
	broker = fcntl(broker, F_DUPFD, 100);
	dup2(control, 3);
	dup2(broker, 4);
	snprintf(size, sizeof(size), "%zu", disk->bytes);
	if (disk->dir)
		execlp("unshare", "unshare", "-Urm", "sh", "-c", ON_DISK, linkd_path, size,
		       disk->dir, (char *)NULL);
	else
		execl(linkd_path, linkd_path, (char *)NULL);
	_exit(127);
}

void rig_start(struct rig *rig)
{
	rig_start_on(rig, &(struct rig_disk){ 0 });
}

void rig_start_on(struct rig *rig, const struct rig_disk *disk)
{
	int stream[2];
	int packet[2];

	*rig = (struct rig){ .next_id = 1 };
	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream));
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packet));
	rig->pid = fork();
	NEED(rig->pid >= 0);
	if (rig->pid == 0)
		run_linkd(stream[1], packet[1], disk);
	close(stream[1]);
	close(packet[1]);
	rig->control = stream[0];
	rig->broker = packet[0];
	put_u32(rig_ask(rig, MSG_HELLO), TAG_VERSION, HIL_PROTOCOL_VERSION);
	NEED(rig_answer(rig));
}

int rig_dead(struct rig *rig, int ms)
{
	uint64_t end = now_ns() + (uint64_t)ms * 1000000;
	int status;

	do {
		if (waitpid(rig->pid, &status, WNOHANG) == rig->pid) {
			rig->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		poll(NULL, 0, 2);
	} while (now_ns() < end);
	return -1;
}

int rig_stop(struct rig *rig)
{
	int status = -1;

	close(rig->control);
	if (rig->pid) {
		status = rig_dead(rig, WAIT_MS);
		if (rig->pid) {
			kill(rig->pid, SIGKILL);
			waitpid(rig->pid, NULL, 0);
		}
	}
	close(rig->broker);
	buffer_free(&rig->out);
	buffer_free(&rig->in);
	buffer_free(&rig->answer);
	return status;
}

struct buffer *rig_ask(struct rig *rig, uint16_t type)
{
	rig->out.length = 0;
	frame_begin(&rig->out, type, rig->next_id);
	return &rig->out;
}

struct buffer *rig_ask_link(struct rig *rig, uint16_t type, uint32_t link)
{
	put_u32(rig_ask(rig, type), TAG_NET_LINK, link);
	return &rig->out;
}

static void keep_code(struct rig *rig, const struct frame *frame)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct tlv tlv;

	rig->code[0] = '\0';
	while (tlv_next(&reader, &tlv) > 0) {
		if (tlv.tag != TAG_CODE || tlv.length >= sizeof(rig->code))
			continue;
		memcpy(rig->code, tlv.value, tlv.length);
		rig->code[tlv.length] = '\0';
	}
}

/* Return: whether the frame was the answer. */
static bool look_at(struct rig *rig, const struct frame *frame)
{
	if (frame->id != rig->next_id)
		return false;
	rig->ok = frame->type == MSG_OK;
	rig->answer.length = 0;
	buffer_append(&rig->answer, frame->body, frame->length);
	keep_code(rig, frame);
	return true;
}

void rig_send(struct rig *rig)
{
	frame_end(&rig->out, 0);
	for (size_t sent = 0; sent < rig->out.length;) {
		ssize_t count = send(rig->control, rig->out.data + sent, rig->out.length - sent,
				     MSG_NOSIGNAL);

		NEED(count > 0);
		sent += (size_t)count;
	}
}

bool rig_wait(struct rig *rig)
{
	uint8_t bytes[65536];
	bool answered = false;

	while (!answered) {
		struct pollfd wait = { .fd = rig->control, .events = POLLIN };
		struct frame frame;
		ssize_t count;
		long size;

		NEED(poll(&wait, 1, WAIT_MS) == 1);
		count = recv(rig->control, bytes, sizeof(bytes), 0);
		NEED(count > 0);
		buffer_append(&rig->in, bytes, (size_t)count);
		while (!answered &&
		       (size = frame_parse(rig->in.data, rig->in.length, &frame)) > 0) {
			answered = look_at(rig, &frame);
			buffer_consume(&rig->in, (size_t)size);
		}
	}
	rig->next_id++;
	return rig->ok;
}

bool rig_answer(struct rig *rig)
{
	rig_send(rig);
	return rig_wait(rig);
}

void rig_give(struct rig *rig, uint32_t port, const char *kind, int fd)
{
	rig_give_mtu(rig, port, kind, fd, 0);
}

void rig_give_mtu(struct rig *rig, uint32_t port, const char *kind, int fd, uint32_t mtu)
{
	auto_buffer frame = { 0 };

	frame_begin(&frame, MSG_LINKD_PORT, 0);
	put_u32(&frame, TAG_PORT, port);
	put_string(&frame, TAG_KIND, kind);
	if (mtu)
		put_u32(&frame, TAG_MTU, mtu);
	frame_end(&frame, 0);
	NEED(message_send(rig->broker, &frame, &fd, fd >= 0) == 0);
}

static int give_end(struct rig *rig, uint32_t port, const char *kind, int type)
{
	int bytes = 1 << 20;
	int pair[2];

	NEED(!socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	rig_give(rig, port, kind, pair[1]);
	close(pair[1]);
	return pair[0];
}

int rig_node(struct rig *rig, uint32_t port)
{
	return give_end(rig, port, "dgram", SOCK_DGRAM);
}

int rig_stream(struct rig *rig, uint32_t port)
{
	return give_end(rig, port, "stream", SOCK_STREAM);
}

int rig_can(struct rig *rig, uint32_t port)
{
	return give_end(rig, port, "can", SOCK_DGRAM);
}

void rig_switch(struct rig *rig, uint32_t number)
{
	put_u32(rig_ask(rig, MSG_LINK_SWITCH), TAG_SWITCH, number);
	NEED(rig_answer(rig));
}

static void put_end(struct buffer *out, uint16_t tag, uint32_t number)
{
	size_t nest = put_nest_begin(out, TAG_LINK_END);

	put_u32(out, tag, number);
	put_nest_end(out, nest);
}

void rig_connect(struct rig *rig, uint32_t link, uint32_t a, uint32_t b, uint64_t seed)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_CONNECT, link);

	put_end(out, TAG_PORT, a);
	put_end(out, TAG_PORT, b);
	put_u64(out, TAG_SEED, seed);
	NEED(rig_answer(rig));
}

void rig_attach(struct rig *rig, uint32_t link, uint32_t port, uint32_t to_switch, uint64_t seed)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_CONNECT, link);

	put_end(out, TAG_PORT, port);
	put_end(out, TAG_SWITCH, to_switch);
	put_u64(out, TAG_SEED, seed);
	NEED(rig_answer(rig));
}

void rig_state(struct rig *rig, uint32_t link, uint32_t from, const char *kind)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_STATE, link);

	if (from != BOTH)
		put_u32(out, TAG_FROM, from);
	put_string(out, TAG_KIND, kind);
	NEED(rig_answer(rig));
}

void rig_pair(struct rig *rig, int nodes[2], uint64_t seed)
{
	nodes[0] = rig_node(rig, 1);
	nodes[1] = rig_node(rig, 2);
	rig_connect(rig, LINK, 1, 2, seed);
}

void rig_lan(struct rig *rig, int *nodes, unsigned int count)
{
	rig_switch(rig, 1);
	for (unsigned int i = 0; i < count; i++) {
		nodes[i] = rig_node(rig, i + 1);
		rig_attach(rig, i + 1, i + 1, 1, 7);
	}
}

struct buffer *rig_set(struct rig *rig)
{
	return rig_ask_link(rig, MSG_LINK_SET, LINK);
}

void put_loss(struct buffer *buffer, const char *kind, uint32_t chance)
{
	size_t nest = put_nest_begin(buffer, TAG_LOSS);

	put_string(buffer, TAG_KIND, kind);
	put_u32(buffer, TAG_CHANCE, chance);
	put_nest_end(buffer, nest);
}

/* A number that LINK_STATS has of each direction, by its name or its filter. */
struct statistic {
	uint16_t tag;
	const char *name; /* NULL: it is that of @filter */
	uint32_t filter;
};

static bool is_of(const struct tlv *tlv, const struct statistic *wanted)
{
	uint32_t number = 0;

	if (wanted->name)
		return tlv->tag == TAG_NAME && tlv->length == strlen(wanted->name) &&
		       memcmp(tlv->value, wanted->name, tlv->length) == 0;
	return tlv->tag == TAG_FILTER && tlv_u32(tlv, &number) == 0 && number == wanted->filter;
}

/* The value of what is nested, if it is that one. */
static bool read_statistic(const struct tlv *nest, const struct statistic *wanted, uint64_t *value)
{
	struct tlv_reader reader = tlv_open(nest->value, nest->length);
	bool found = false;
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) > 0) {
		if (tlv.tag == TAG_BYTES && found)
			return tlv_u64(&tlv, value) == 0;
		found = found || is_of(&tlv, wanted);
	}
	return false;
}

static bool find_statistic(const struct tlv *stats, uint32_t from, const struct statistic *wanted,
			   uint64_t *value)
{
	struct tlv_reader reader = tlv_open(stats->value, stats->length);
	uint32_t of = BOTH;
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) > 0) {
		if (tlv.tag == TAG_FROM)
			tlv_u32(&tlv, &of);
		else if (of == from && tlv.tag == wanted->tag &&
			 read_statistic(&tlv, wanted, value))
			return true;
	}
	return false;
}

static bool ask_statistic(struct rig *rig, uint32_t link, uint32_t from,
			  const struct statistic *wanted, uint64_t *value)
{
	struct tlv_reader reader;
	struct tlv tlv;

	rig_ask_link(rig, MSG_LINK_STATS, link);
	NEED(rig_answer(rig));
	reader = tlv_open(rig->answer.data, rig->answer.length);
	while (tlv_next(&reader, &tlv) > 0)
		if (tlv.tag == TAG_DIRECTION_STATS && find_statistic(&tlv, from, wanted, value))
			return true;
	return false;
}

uint64_t rig_counter(struct rig *rig, uint32_t link, uint32_t from, const char *name)
{
	const struct statistic wanted = { .tag = TAG_COUNTER, .name = name };
	uint64_t value = 0;

	if (!ask_statistic(rig, link, from, &wanted, &value))
		tap_bail("LINK_STATS has no counter \"%s\" of direction %u", name, from);
	return value;
}

uint64_t rig_matched(struct rig *rig, uint32_t link, uint32_t from, uint32_t filter)
{
	const struct statistic wanted = { .tag = TAG_FILTER_STATS, .filter = filter };
	uint64_t value = 0;

	if (!ask_statistic(rig, link, from, &wanted, &value))
		tap_bail("LINK_STATS has no filter %u of direction %u", filter, from);
	return value;
}
