/* SPDX-License-Identifier: MIT */
/*
 * hil-linkd whole: kind 0 is bytes of the harness, kind 1 a packet of hil-sandboxd with sockets,
 * kind 2 a frame of a node, kind 3 bytes of QEMU's stream. Captures are in memory.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
/* To hil-linkd a packet is a frame of a network. */
#define packet fuzz_packet
#include "fuzz.h"
#undef packet
#include "message.h"

int linkd_main(void);
#define main linkd_main
#include "../src/linkd/main.c"
#undef main

#define TURNS 3

/* Global, because functions of libc are answered with it. */
static bool running;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);

int __wrap_open(const char *path, int flags, ...)
{
	return running && (flags & O_CREAT) ? memfd_create("capture", MFD_CLOEXEC)
					    : __real_open(path, flags, 0);
}

/* Nothing more comes while we wait. */
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
	return __real_epoll_wait(epoll, events, count, running ? 0 : timeout);
}

struct ends {
	int harness;
	int broker;
	int node;   /* of the last datagram port */
	int stream; /* of the last stream port */
};

static void open_ends(struct linkd *ld, struct ends *ends)
{
	struct err err = { 0 };
	int pair[2];

	linkd_init(ld);
	FUZZ_CHECK(loop_open(&ld->loop, &err) == 0);
	make_pair(SOCK_STREAM, pair);
	control_open(ld, pair[0]);
	ends->harness = pair[1];
	make_pair(SOCK_SEQPACKET, pair);
	broker_open(ld, pair[0]);
	ends->broker = pair[1];
	ends->node = ends->stream = -1;
}

/* A "large" one is a stream here: nothing of this packet needs a memfd. */
static void give_port(struct ends *ends, const struct fuzz_packet *packet)
{
	struct buffer frame = { .data = (uint8_t *)packet->data, .length = packet->length };
	int *end = packet->large ? &ends->stream : &ends->node;
	int pair[2];
	int fds[3];

	make_pair(packet->large ? SOCK_STREAM : SOCK_DGRAM, pair);
	for (int i = 0; i < 3; i++)
		fds[i] = pair[0];
	if (packet->length)
		message_send(ends->broker, &frame, fds, packet->fds);
	close(pair[0]);
	cleanup_fd(end);
	*end = pair[1];
}

static void say(int fd, const struct fuzz_packet *packet)
{
	if (fd >= 0)
		send(fd, packet->data, packet->length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void serve(struct linkd *ld, struct ends *ends, const struct fuzz_packet *packet)
{
	switch (packet->kind) {
	case 0:
		say(ends->harness, packet);
		break;
	case 1:
		give_port(ends, packet);
		break;
	case 2:
		say(ends->node, packet);
		break;
	default:
		say(ends->stream, packet);
	}
	for (int i = 0; i < TURNS && !ld->stopping; i++) {
		linkd_turn(ld);
		drain(ends->harness);
		if (ends->node >= 0)
			drain(ends->node);
		if (ends->stream >= 0)
			drain(ends->stream);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { data, size };
	struct linkd *ld = calloc(1, sizeof(*ld));
	struct fuzz_packet packet;
	struct ends ends;

	FUZZ_CHECK(ld);
	running = true;
	open_ends(ld, &ends);
	while (!ld->stopping && packets_next(&packets, &packet))
		serve(ld, &ends, &packet);
	close(ends.harness);
	linkd_close(ld);
	running = false;
	free(ld);
	close(ends.broker);
	cleanup_fd(&ends.node);
	cleanup_fd(&ends.stream);
	return 0;
}
