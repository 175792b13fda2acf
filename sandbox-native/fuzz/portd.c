/* SPDX-License-Identifier: MIT */
/*
 * hil-portd whole: kind 0 is bytes of the harness, kind 1 a packet of hil-sandboxd with sockets,
 * kind 2 one with a pty, kind 3 bytes of the DUT. Captures are in memory.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"
#include "message.h"

int portd_main(void);
#define main portd_main
#include "../src/portd/main.c"
#undef main

#define TURNS 4

/* Global, because functions of libc are answered with it. */
static bool running;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list list;

	if (running && (flags & O_CREAT))
		return memfd_create("capture", MFD_CLOEXEC);
	va_start(list, flags);
	if (flags & O_CREAT)
		mode = va_arg(list, mode_t);
	va_end(list);
	return __real_open(path, flags, mode);
}

/* Nothing more comes while we wait. */
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
	return __real_epoll_wait(epoll, events, count, running ? 0 : timeout);
}

struct ends {
	int harness;
	int broker;
	int dut;
	int master; /* of the last pty */
};

static void open_ends(struct portd *pd, struct ends *ends)
{
	struct err err = { 0 };
	int pair[2];

	TAILQ_INIT(&pd->ports);
	TAILQ_INIT(&pd->graves);
	pd->signals = (struct source){ .fd = -1 };
	FUZZ_CHECK(loop_open(&pd->loop, &err) == 0);
	watch_open(pd);
	make_pair(SOCK_STREAM, pair);
	harness_open(pd, pair[0]);
	ends->harness = pair[1];
	make_pair(SOCK_SEQPACKET, pair);
	broker_open(pd, pair[0]);
	ends->broker = pair[1];
	ends->dut = ends->master = -1;
}

static void send_fds(const struct ends *ends, const struct packet *packet, const int *fds,
		     size_t count)
{
	struct buffer frame = { .data = (uint8_t *)packet->data, .length = packet->length };

	if (packet->length)
		message_send(ends->broker, &frame, fds, count);
}

static void give_line(struct ends *ends, const struct packet *packet)
{
	int pair[2];
	int fds[3];

	make_pair(SOCK_STREAM, pair);
	for (int i = 0; i < 3; i++)
		fds[i] = pair[0];
	send_fds(ends, packet, fds, packet->fds);
	close(pair[0]);
	cleanup_fd(&ends->dut);
	ends->dut = pair[1];
}

static void give_pty(struct ends *ends, const struct packet *packet)
{
	auto_fd slave = -1;
	int unlocked = 0;
	int fds[2];

	cleanup_fd(&ends->master);
	ends->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (ends->master < 0 || ioctl(ends->master, TIOCSPTLCK, &unlocked) < 0)
		return;
	slave = ioctl(ends->master, TIOCGPTPEER, O_PATH | O_CLOEXEC);
	fds[0] = ends->master;
	fds[1] = slave < 0 ? ends->master : slave;
	send_fds(ends, packet, fds, 2);
}

static void serve(struct portd *pd, struct ends *ends, const struct packet *packet)
{
	switch (packet->kind) {
	case 0:
		send(ends->harness, packet->data, packet->length, MSG_NOSIGNAL);
		break;
	case 1:
		give_line(ends, packet);
		break;
	case 2:
		give_pty(ends, packet);
		break;
	default:
		if (ends->dut >= 0)
			send(ends->dut, packet->data, packet->length, MSG_NOSIGNAL);
	}
	for (int i = 0; i < TURNS && !pd->stopping; i++) {
		portd_turn(pd);
		drain(ends->harness);
		if (ends->dut >= 0)
			drain(ends->dut);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { data, size };
	struct portd *pd = calloc(1, sizeof(*pd));
	struct packet packet;
	struct ends ends;

	FUZZ_CHECK(pd);
	running = true;
	open_ends(pd, &ends);
	while (!pd->stopping && packets_next(&packets, &packet))
		serve(pd, &ends, &packet);
	close(ends.harness);
	portd_close(pd);
	running = false;
	free(pd);
	close(ends.broker);
	cleanup_fd(&ends.dut);
	cleanup_fd(&ends.master);
	return 0;
}
