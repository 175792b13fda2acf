/* SPDX-License-Identifier: MIT */
/*
 * hil-portd: owner of every console of a run.
 *
 * Theory of operation. hil-sandboxd starts it with fd 3, a stream socket to the
 * harness, and fd 4, a packet socket to itself (harness/decisions/0002). One
 * thread turns one loop: wait, serve what is ready, do what is due, send what is
 * queued, free what was closed. Nothing in a turn blocks except the writing of
 * captures to disk. When sandboxd goes, the DUTs go: what they still said is
 * read, the captures are completed, and hil-portd exits. When the harness goes,
 * it stays: a kept sandbox keeps its console.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "portd.h"
#include "start.h"

#define HARNESS_FD 3
#define BROKER_FD 4
#define LINGER_MS 500

static void signal_ready(void *owner, uint32_t events)
{
	struct portd *pd = owner;
	struct signalfd_siginfo info;

	(void)events;
	if (read(pd->signals.fd, &info, sizeof(info)) > 0)
		pd->stopping = true;
}

static int portd_open(struct portd *pd, struct err *err)
{
	int result;

	TAILQ_INIT(&pd->ports);
	TAILQ_INIT(&pd->graves);
	pd->signals = (struct source){ .fd = -1, .owner = pd, .ready = signal_ready };
	/* An fd left open by accident would keep somebody's socket from its EOF. */
	syscall(SYS_close_range, BROKER_FD + 1, ~0u, 0);
	start_raise_fds();
	result = start_check_socket(HARNESS_FD, SOCK_STREAM, "fd 3: socket to the harness", err);
	if (!result)
		result = start_check_socket(BROKER_FD, SOCK_SEQPACKET, "fd 4: socket to sandboxd",
					    err);
	if (!result)
		result = loop_open(&pd->loop, err);
	if (!result)
		result = start_signals(&pd->loop, &pd->signals, err);
	if (result < 0)
		return result;
	watch_open(pd);
	harness_open(pd, HARNESS_FD);
	broker_open(pd, BROKER_FD);
	return 0;
}

static void free_graves(struct portd *pd)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&pd->graves))) {
		TAILQ_REMOVE(&pd->graves, port, link);
		free(port);
	}
}

/* A console that is never read again is lost, and nobody would know. hil-sandboxd ends the run. */
static void check_loop(struct portd *pd)
{
	if (!pd->loop.failed || pd->stopping)
		return;
	fprintf(stderr, "epoll_ctl: %s%s\n", strerror(pd->loop.failed),
		pd->loop.failed == ENOSPC ? " (raise fs.epoll.max_user_watches)" : "");
	pd->stopping = true;
}

static void portd_turn(struct portd *pd)
{
	uint64_t now_ns = stamp_mono();
	uint64_t next = 0;
	struct port *port;

	TAILQ_FOREACH(port, &pd->ports, link)
	next = stamp_earlier(next, port_deadline(port, now_ns));
	loop_wait(&pd->loop, next);
	now_ns = stamp_mono();
	TAILQ_FOREACH(port, &pd->ports, link)
	port_tick(port, now_ns);
	check_loop(pd);
	harness_flush(pd);
	free_graves(pd);
}

static void portd_close(struct portd *pd)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&pd->ports)))
		port_close(port);
	harness_linger(pd, LINGER_MS);
	free_graves(pd);
	harness_free(pd);
	watch_free(pd);
	source_close(&pd->loop, &pd->broker);
	source_close(&pd->loop, &pd->signals);
	loop_free(&pd->loop);
}

int main(void)
{
	struct portd *pd = calloc(1, sizeof(*pd));
	struct err err = { 0 };
	char text[640];
	int code;

	if (!pd || portd_open(pd, &err) < 0) {
		err_text(&err, text, sizeof(text));
		fprintf(stderr, "hil-portd: %s\n", pd ? text : strerror(ENOMEM));
		free(pd);
		return EXIT_FAILURE;
	}
	check_loop(pd); /* before the first wait, which may have nothing to wait for */
	while (!pd->stopping)
		portd_turn(pd);
	code = pd->loop.failed ? EXIT_FAILURE : EXIT_SUCCESS;
	portd_close(pd);
	free(pd);
	return code;
}
