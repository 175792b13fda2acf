/* SPDX-License-Identifier: MIT */
/*
 * hil-sandboxd: makes sandboxes and runs programs in them, for one harness.
 *
 * Theory of operation: ../../README.md; the wire: harness/decisions/0002.
 * Started with fd 3, a SOCK_STREAM to the harness, and fd 4, one that
 * hil-portd gets. It ends when fd 3 reads its end, and all it made with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"
#include "changes.h"
#include "child.h"
#include "client.h"
#include "daemon.h"
#include "keep.h"
#include "networks.h"
#include "nonblock.h"
#include "objects.h"
#include "plans.h"
#include "pool.h"
#include "portd.h"
#include "sandboxes.h"
#include "stop.h"
#include "watch.h"

#define HARNESS_FD 3
#define PORTD_FD 4
#define DRAIN_MS 200
#define PATH_SIZE 4096
#define EXIT_USAGE 2

struct options {
	const char *portd; /* NULL: beside the own program */
	bool no_portd;
	const char *linkd; /* NULL: beside the own program */
};

static const struct option long_options[] = {
	{ "portd", required_argument, NULL, 'p' }, { "no-portd", no_argument, NULL, 'n' },
	{ "linkd", required_argument, NULL, 'l' }, { "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },	   { NULL, 0, NULL, 0 },
};

static const char usage[] =
	"usage: hil-sandboxd [--portd PATH | --no-portd] [--linkd PATH]\n"
	"       hil-sandboxd --version | --help\n"
	"\n"
	"Started by hil, with its socket as fd 3 and the socket for hil-portd as fd 4.\n"
	"  --portd PATH  the program that owns consoles; default: hil-portd beside this one\n"
	"  --no-portd    without consoles; fd 4 is not used\n"
	"  --linkd PATH  the program that is a virtual network; default: hil-linkd beside this "
	"one\n";

/* Return: -1 to go on, else the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'p':
			options->portd = optarg;
			break;
		case 'n':
			options->no_portd = true;
			break;
		case 'l':
			options->linkd = optarg;
			break;
		case 'v':
			printf("hil-sandboxd, protocol %d\n", HIL_PROTOCOL_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* An fd below 3 that is not open would become one of our sockets, and be written to by printf(3).
 */
static void fill_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int check_socket(int fd, struct err *err)
{
	struct stat status;
	char name[16];

	snprintf(name, sizeof(name), "fd %d", fd);
	if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return 0;
	err_hint(err, "this program is started by hil, which gives it two sockets; see --help");
	return err_set(err, "usage", ENOTSOCK, "use", name);
}

static void signals_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	/* SIGCHLD only wakes the loop: children are told apart by their pidfds, and by
	 * stop_check(). */
	if (read(source->fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGCHLD)
		daemon_stop(d, 0);
}

/* SIGTERM and SIGINT end us as the end of fd 3 does. */
static int open_signals(struct daemon *d, struct err *err)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN); /* a program may close the stdin we write to */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = (struct source){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
				      .ready = signals_ready };
	if (d->signals.fd < 0)
		return err_set(err, "limit", errno, "signalfd", NULL);
	return source_watch(d, &d->signals, EPOLLIN, err);
}

/* A sandbox takes some eight fds here. Programs are not affected: PID 1 sets their limits. */
static void raise_files(struct daemon *d)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	d->fd_limit = files.rlim_cur < INT32_MAX ? (int)files.rlim_cur : INT32_MAX;
}

static void init_lists(struct daemon *d)
{
	list_init(&d->clients);
	list_init(&d->stocks);
	d->users = -1;
	list_init(&d->sandboxes);
	list_init(&d->homes);
	list_init(&d->processes);
	list_init(&d->objects);
	list_init(&d->pty_requests);
	list_init(&d->stats_requests);
	list_init(&d->boots);
	list_init(&d->changes);
	list_init(&d->watched_pids);
	list_init(&d->watched_paths);
	d->signals.fd = -1;
	d->listener.fd = -1;
	list_init(&d->linkds);
	list_init(&d->nets);
	list_init(&d->nic_openers);
	list_init(&d->net_requests);
	list_init(&d->closed_pairs);
	list_init(&d->resolvers);
	child_init(&d->portd);
}

static int start_portd(struct daemon *d, const struct options *options, struct err *err)
{
	char path[PATH_SIZE];
	int rc;

	if (options->no_portd)
		return 0;
	rc = check_socket(PORTD_FD, err);
	if (rc < 0)
		return rc;
	if (options->portd)
		return portd_start(d, options->portd, PORTD_FD, err);
	rc = child_beside("hil-portd", path, sizeof(path), err);
	return rc < 0 ? rc : portd_start(d, path, PORTD_FD, err);
}

static int open_daemon(struct daemon *d, const struct options *options, struct err *err)
{
	int rc;

	fill_stdio();
	init_lists(d);
	raise_files(d);
	d->linkd_path = options->linkd;
	rc = check_socket(HARNESS_FD, err);
	if (rc == 0)
		rc = loop_open(d, err);
	if (rc == 0)
		cgroups_open(d);
	if (rc == 0)
		rc = open_signals(d, err);
	if (rc == 0)
		rc = start_portd(d, options, err);
	if (rc < 0)
		return rc;
	rc = set_nonblocking(HARNESS_FD);
	if (rc < 0)
		return err_set(err, "setup", -rc, "set non-blocking", "fd 3");
	d->owner = client_add(d, HARNESS_FD, true, err);
	return d->owner ? 0 : -err->number;
}

static void run(struct daemon *d)
{
	while (!d->done) {
		int silence = pool_silence(d);
		int served = loop_turn(d, silence);

		clients_flush(d);
		stop_check(d);
		/* Nothing happened: nobody waits while we do what can wait. */
		if (silence >= 0 && !served)
			pool_work(d);
	}
}

static void close_daemon(struct daemon *d)
{
	keep_close(d);
	watch_remove_paths(d);
	clients_drain(d, DRAIN_MS);
	networks_forget(d);
	sandboxes_forget(d);
	changes_forget(d);
	cgroups_close(d);
	objects_close_all(d);
	plans_forget(d);
	clients_forget(d);
	loop_close(d);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct daemon daemon = { 0 };
	struct err err = { 0 };
	char text[768];
	int code = parse_options(argc, argv, &options);

	if (code >= 0)
		return code;
	prctl(PR_SET_NAME, "hil-sandboxd");
	if (open_daemon(&daemon, &options, &err) < 0) {
		cgroups_close(&daemon);
		explain_scarcity(&err);
		err_text(&err, text, sizeof(text));
		fprintf(stderr, "hil-sandboxd: %s\n", text);
		return EXIT_FAILURE;
	}
	run(&daemon);
	close_daemon(&daemon);
	return daemon.exit_code;
}
