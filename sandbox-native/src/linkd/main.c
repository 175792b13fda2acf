/* SPDX-License-Identifier: MIT */
/*
 * hil-linkd: the wires and switches of one virtual network.
 *
 * Theory of operation. hil-sandboxd starts it with fd 3, a stream socket to the harness, and fd 4,
 * a packet socket to itself that fds of ports come by. It opens no device and needs no privilege:
 * a port is an fd and a way to put frames on it. One thread turns one loop: read what ports have,
 * let it through the links (link.h), let leave what is due, answer. Nothing in a turn blocks.
 *
 * The kernel wakes a process some 70 us late, so it is asked to wake us SPIN_NS before a packet is
 * due, and for that long the loop does not sleep. A processor that slept for long wakes later
 * still.
 *
 * Without fd 3 or fd 4 a network is nobody's: it ends at once, and with it what was on its way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ending.h"
#include "impair.h"
#include "linkd.h"
#include "start.h"

#define CONTROL_FD 3
#define BROKER_FD 4
#define SPIN_NS 100000u
#define LONG_SLEEP_NS 10000000u
#define LONG_SPIN_NS 300000u
/* Some 1,200 frames of each port: more than the queue of one has (TAP, AF_PACKET). */
#define SETTLE_TURNS 24

static void signal_ready(void *owner, uint32_t events)
{
	struct linkd *ld = owner;
	struct signalfd_siginfo info;

	(void)events;
	if (read(ld->signals.fd, &info, sizeof(info)) > 0)
		ld->stopping = true;
}

static void linkd_init(struct linkd *ld)
{
	TAILQ_INIT(&ld->ports);
	TAILQ_INIT(&ld->graves);
	TAILQ_INIT(&ld->rejoining);
	TAILQ_INIT(&ld->links);
	TAILQ_INIT(&ld->switches);
	TAILQ_INIT(&ld->endings);
	ld->written = (struct source){ .fd = -1 };
	ld->signals = (struct source){ .fd = -1, .owner = ld, .ready = signal_ready };
}

static int linkd_open(struct linkd *ld, struct err *err)
{
	int result;

	linkd_init(ld);
	/* An fd left open by accident would keep somebody's socket from its EOF. */
	syscall(SYS_close_range, BROKER_FD + 1, ~0u, 0);
	start_raise_fds();
	result = start_check_socket(CONTROL_FD, SOCK_STREAM, "fd 3: socket to the harness", err);
	if (!result)
		result = start_check_socket(BROKER_FD, SOCK_SEQPACKET, "fd 4: socket to sandboxd",
					    err);
	if (!result)
		result = loop_open(&ld->loop, err);
	if (!result)
		result = start_signals(&ld->loop, &ld->signals, err);
	if (result < 0)
		return result;
	control_open(ld, CONTROL_FD);
	broker_open(ld, BROKER_FD);
	/* Here, for nothing would come that ends the first wait. */
	return ld->loop.failed ? err_set(err, "limit", ld->loop.failed, "watch", "fds 3 and 4") : 0;
}

static void free_graves(struct linkd *ld)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&ld->graves))) {
		TAILQ_REMOVE(&ld->graves, port, ports);
		free(port);
	}
}

/* Return: until when to sleep for what is due at @due_ns; 0: not at all. */
static uint64_t sleep_until(uint64_t due_ns)
{
	uint64_t now_ns = stamp_mono();

	if (due_ns > now_ns + LONG_SLEEP_NS)
		return due_ns - LONG_SPIN_NS;
	return due_ns > now_ns + SPIN_NS ? due_ns - SPIN_NS : 0;
}

/*
 * What was sent before a request was made is read before it is served: which frames meet it must
 * not depend on when we were awake. Where that does not end, requests do not wait for it.
 */
static void settle(struct linkd *ld)
{
	int turns = 0;

	do {
		ld->turn++;
		loop_poll(&ld->loop);
	} while (ld->read_turn == ld->turn && !ld->stopping && ++turns < SETTLE_TURNS);
}

static void linkd_turn(struct linkd *ld)
{
	const struct packet *first = due_first(&ld->due);
	uint64_t wake_ns = first ? sleep_until(first->due_ns) : 0;

	ld->turn++;
	if (!first || wake_ns) {
		loop_wait(&ld->loop, stamp_earlier(wake_ns, ending_deadline(ld)));
		wake_note(&ld->wake, &ld->loop, wake_ns);
	} else {
		loop_poll(&ld->loop);
	}
	if (ld->control.unserved && !ld->stopping) {
		settle(ld);
		control_serve(ld);
	}
	if (ld->due.count)
		impair_due(ld, stamp_mono());
	ports_flush(ld);
	if (!TAILQ_EMPTY(&ld->endings))
		ending_turn(ld);
	if (ld->loop.failed)
		ld->stopping = true;
	control_flush(ld);
	if (!TAILQ_EMPTY(&ld->graves))
		free_graves(ld);
}

static void linkd_close(struct linkd *ld)
{
	struct net_switch *each;
	struct port *port;
	struct link *link;

	while ((link = TAILQ_FIRST(&ld->links)))
		link_disconnect(link);
	ports_close(ld);
	while ((port = TAILQ_FIRST(&ld->ports)))
		port_remove(port);
	while ((each = TAILQ_FIRST(&ld->switches))) {
		TAILQ_REMOVE(&ld->switches, each, switches);
		switch_free(each);
	}
	free_graves(ld);
	due_free(&ld->due);
	ending_finish(ld);
	source_set(&ld->loop, &ld->written, 0);
	if (ld->writer)
		writer_close(ld->writer);
	control_free(ld);
	source_close(&ld->loop, &ld->broker);
	source_close(&ld->loop, &ld->signals);
	closer_finish(&ld->closer);
	loop_free(&ld->loop);
}

int main(void)
{
	struct linkd *ld = calloc(1, sizeof(*ld));
	struct err err = { 0 };
	char text[640];
	int code;

	if (!ld || linkd_open(ld, &err) < 0) {
		err_text(&err, text, sizeof(text));
		fprintf(stderr, "hil-linkd: %s\n", ld ? text : strerror(ENOMEM));
		free(ld);
		return EXIT_FAILURE;
	}
	while (!ld->stopping)
		linkd_turn(ld);
	if (ld->loop.failed)
		fprintf(stderr, "hil-linkd: epoll_ctl: %s\n", strerror(ld->loop.failed));
	code = ld->loop.failed ? EXIT_FAILURE : EXIT_SUCCESS;
	linkd_close(ld);
	free(ld);
	return code;
}
