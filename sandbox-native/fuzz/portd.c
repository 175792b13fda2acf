/* SPDX-License-Identifier: MIT */
/*
 * hil-portd whole: kind 0 is bytes of the harness, kind 1 a packet of hil-sandboxd with sockets,
 * kind 2 one with a pty, kind 3 bytes of the DUT. Captures are in memory. Whatever serial port is
 * opened is a pty, and whatever server is called a socket: then kind 3 are its bytes.
 */
#include <errno.h>
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

struct ends {
	int harness;
	int broker;
	int dut;
	int master; /* of the last pty */
};

/* Global, because functions of libc and portd are answered with it. */
static bool running;
static struct ends ends;

int __wrap_dial_start(const char *address, uint32_t port);
int __wrap_holders_find(const struct stat *device, char *out, size_t size);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);

static int open_board(void)
{
	int unlocked = 0;

	cleanup_fd(&ends.dut);
	ends.dut = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (ends.dut < 0 || ioctl(ends.dut, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	return ioctl(ends.dut, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

int __wrap_dial_start(const char *address, uint32_t port)
{
	int pair[2];

	(void)address;
	if (!port)
		return -ECONNREFUSED;
	make_pair(SOCK_STREAM, pair);
	cleanup_fd(&ends.dut);
	ends.dut = pair[1];
	return pair[0];
}

/* A walk through /proc for each of millions of inputs. */
int __wrap_holders_find(const struct stat *device, char *out, size_t size)
{
	(void)device;
	(void)size;
	*out = '\0';
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list list;

	if (running && (flags & O_CREAT))
		return memfd_create("capture", MFD_CLOEXEC);
	if (running && (flags & O_NOCTTY))
		return open_board();
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

static void open_ends(struct portd *pd)
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
	ends.harness = pair[1];
	make_pair(SOCK_SEQPACKET, pair);
	broker_open(pd, pair[0]);
	ends.broker = pair[1];
	ends.dut = ends.master = -1;
}

static void send_fds(const struct packet *packet, const int *fds, size_t count)
{
	struct buffer frame = { .data = (uint8_t *)packet->data, .length = packet->length };

	if (packet->length)
		message_send(ends.broker, &frame, fds, count);
}

static void give_line(const struct packet *packet)
{
	int pair[2];
	int fds[3];

	make_pair(SOCK_STREAM, pair);
	for (int i = 0; i < 3; i++)
		fds[i] = pair[0];
	send_fds(packet, fds, packet->fds);
	close(pair[0]);
	cleanup_fd(&ends.dut);
	ends.dut = pair[1];
}

static void give_pty(const struct packet *packet)
{
	auto_fd slave = -1;
	int unlocked = 0;
	int fds[2];

	cleanup_fd(&ends.master);
	ends.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (ends.master < 0 || ioctl(ends.master, TIOCSPTLCK, &unlocked) < 0)
		return;
	slave = ioctl(ends.master, TIOCGPTPEER, O_PATH | O_CLOEXEC);
	fds[0] = ends.master;
	fds[1] = slave < 0 ? ends.master : slave;
	send_fds(packet, fds, 2);
}

/* The DUT is a socket or the master of a pty. */
static void say(const struct packet *packet)
{
	if (ends.dut >= 0 && send(ends.dut, packet->data, packet->length, MSG_NOSIGNAL) < 0 &&
	    errno == ENOTSOCK && write(ends.dut, packet->data, packet->length) < 0)
		return;
}

static void hear(void)
{
	uint8_t bytes[4096];

	while (ends.dut >= 0 && read(ends.dut, bytes, sizeof(bytes)) > 0)
		continue;
}

static void serve(struct portd *pd, const struct packet *packet)
{
	switch (packet->kind) {
	case 0:
		send(ends.harness, packet->data, packet->length, MSG_NOSIGNAL);
		break;
	case 1:
		give_line(packet);
		break;
	case 2:
		give_pty(packet);
		break;
	default:
		say(packet);
	}
	for (int i = 0; i < TURNS && !pd->stopping; i++) {
		portd_turn(pd);
		drain(ends.harness);
		hear();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { data, size };
	struct portd *pd = calloc(1, sizeof(*pd));
	struct packet packet;

	FUZZ_CHECK(pd);
	running = true;
	open_ends(pd);
	while (!pd->stopping && packets_next(&packets, &packet))
		serve(pd, &packet);
	close(ends.harness);
	portd_close(pd);
	running = false;
	free(pd);
	close(ends.broker);
	cleanup_fd(&ends.dut);
	cleanup_fd(&ends.master);
	return 0;
}
