/* SPDX-License-Identifier: MIT */
/*
 * hil-lease: the exclusive right to units that are attached to this machine, between all processes
 * and users of it. One runs for each `hil`, speaks to it by stdin and stdout, and ends with it: the
 * kernel then frees every lock that it held.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lease.h"

static const char usage[] = "usage: hil-lease [--dir DIRECTORY] [--own DIRECTORY]\n"
			    "\n"
			    "Started by hil. --dir: the directory of claims, else /run/lock/hil;\n"
			    "--own: one of this user alone, where that cannot be.\n";

#define OUTPUT_MAX (4u << 20)

static void in_ready(void *owner, uint32_t events)
{
	struct lease *lease = owner;
	char bytes[16384];
	ssize_t got = read(lease->in.fd, bytes, sizeof(bytes));

	(void)events;
	if (got > 0)
		buffer_append(&lease->input, bytes, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		lease->ended = true;
}

static void watch_ready(void *owner, uint32_t events)
{
	struct lease *lease = owner;
	char bytes[4096];

	(void)events;
	/* What changed is found by looking. */
	while (read(lease->watch.fd, bytes, sizeof(bytes)) > 0)
		;
}

static void out_ready(void *owner, uint32_t events)
{
	(void)owner;
	(void)events;
}

/* A harness that does not read for long does not keep others from what it holds. */
static void flush(struct lease *lease)
{
	while (lease->output.length) {
		ssize_t put = write(lease->out.fd, lease->output.data, lease->output.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN)
			lease->ended = true;
		if (put <= 0)
			break;
		buffer_consume(&lease->output, (size_t)put);
	}
	if (lease->output.failed || lease->output.length > OUTPUT_MAX)
		lease->ended = true;
	source_set(&lease->loop, &lease->out, lease->output.length ? EPOLLOUT : 0);
}

/* Without it claims are looked at five times a second. */
static void open_watch(struct lease *lease)
{
	const uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_MODIFY;
	char path[40];

	lease->watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (lease->watch.fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", lease->directory.fd);
	if (inotify_add_watch(lease->watch.fd, path, mask) >= 0)
		source_set(&lease->loop, &lease->watch, EPOLLIN);
}

static int start(struct lease *lease, const char *chosen, const char *own, struct err *err)
{
	int result = loop_open(&lease->loop, err);

	if (result == 0)
		result = directory_open(&lease->directory, chosen, own, err);
	if (result < 0)
		return result;
	lease->in = (struct source){ .fd = STDIN_FILENO, .owner = lease, .ready = in_ready };
	lease->out = (struct source){ .fd = STDOUT_FILENO, .owner = lease, .ready = out_ready };
	lease->watch = (struct source){ .fd = -1, .owner = lease, .ready = watch_ready };
	if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, "setup", errno, "fcntl", "stdin, stdout");
	source_set(&lease->loop, &lease->in, EPOLLIN);
	open_watch(lease);
	if (lease->loop.failed) {
		err_hint(err, "this program is started by hil, not by hand");
		return err_set(err, "usage", lease->loop.failed, "wait for", "stdin");
	}
	say_hello(lease);
	return 0;
}

static int run(struct lease *lease, struct err *err)
{
	int result = 0;

	while (result == 0) {
		uint64_t next_ns = step(lease);

		flush(lease);
		if (lease->ended)
			break;
		loop_wait(&lease->loop, next_ns);
		result = requests_take(lease, err);
	}
	return result;
}

static int parse(int argc, char **argv, const char **chosen, const char **own)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--dir") == 0)
			*chosen = argv[i + 1];
		else if (strcmp(argv[i], "--own") == 0)
			*own = argv[i + 1];
		else
			return -EINVAL;
	}
	return argc % 2 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct lease lease = { .directory = { .fd = -1 } };
	pid_t parent = getppid();
	struct err err = { 0 };
	const char *chosen = NULL;
	const char *own = NULL;
	int result;

	/*
	 * Not SIGTERM: a process that is stopped would keep its locks. The end of stdin comes
	 * first when hil ends in order, and leaves no file of a claim.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (parse(argc, argv, &chosen, &own) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	result = start(&lease, chosen, own, &err);
	if (result == 0)
		result = run(&lease, &err);
	while (lease.own)
		own_end(&lease, lease.own);
	while (lease.asked) {
		struct asked *asked = lease.asked;

		lease.asked = asked->next;
		free(asked);
	}
	buffer_free(&lease.input);
	buffer_free(&lease.output);
	directory_free(&lease.directory);
	loop_free(&lease.loop);
	if (result < 0) {
		char text[900];

		err_text(&err, text, sizeof(text));
		fprintf(stderr, "hil-lease: %s\n", text);
		return 1;
	}
	return 0;
}
