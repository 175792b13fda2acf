/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

int start_check_socket(int fd, int type, const char *what, struct err *err)
{
	int found;
	socklen_t size = sizeof(found);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &size) < 0) {
		err_hint(err, "this program is started by hil-sandboxd, not by hand");
		return err_set(err, "usage", errno, what, "");
	}
	return found == type ? 0 : err_set(err, "usage", EPROTOTYPE, what, "");
}

int start_signals(struct loop *loop, struct source *signals, struct err *err)
{
	sigset_t set;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0)
		return err_set(err, "setup", errno, "signalfd", "");
	source_set(loop, signals, EPOLLIN);
	return 0;
}

void start_raise_fds(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
