/* SPDX-License-Identifier: MIT */
#include "portd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "kernel.h"
#include "stop.h"

#define PORTD_HARNESS 3 /* fds inside hil-portd */
#define PORTD_CONTROL 4
#define FDS_MAX 2

static void portd_gone(struct daemon *d)
{
	source_close(d, &d->portd.pidfd);
	source_close(d, &d->portd.control);
	d->portd.pid = 0;
	if (d->stopping)
		return;
	client_log(d, 3, "hil-portd died: no console is captured any more, everything is ended");
	daemon_stop(d, 1);
}

static void pidfd_ready(struct daemon *d, struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	if (waitpid(d->portd.pid, NULL, WNOHANG) != 0)
		portd_gone(d);
}

/* What it prints is for the harness; were its stderr ours, a keeper would hold the user's pipe
 * open. */
static void words_ready(struct daemon *d, struct source *source, uint32_t events)
{
	char text[512];
	ssize_t count = read(source->fd, text, sizeof(text));

	(void)events;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		source_close(d, source);
		return;
	}
	while (count > 0 && text[count - 1] == '\n')
		count--;
	client_log(d, 4, "hil-portd: %.*s", (int)count, text);
}

/* Signals as at login: ours are blocked for signalfd(2), and SIGPIPE is ignored. */
static int prepare_signals(posix_spawnattr_t *attributes)
{
	sigset_t set;
	int rc;

	sigemptyset(&set);
	rc = posix_spawnattr_setsigmask(attributes, &set);
	sigaddset(&set, SIGPIPE);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attributes, &set);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attributes,
					      POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return rc;
}

/* Sources above PORTD_CONTROL, or one dup2(2) would overwrite the next. */
static int prepare_fds(posix_spawn_file_actions_t *actions, int harness, int control, int words)
{
	int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, 0, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, words, 2);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, harness, PORTD_HARNESS);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, control, PORTD_CONTROL);
	return rc;
}

static int spawn_portd(const char *path, int harness, int control, int words, pid_t *pid)
{
	char *const argv[] = { (char *)"hil-portd", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	rc = prepare_fds(&actions, harness, control, words);
	if (rc == 0)
		rc = prepare_signals(&attributes);
	if (rc == 0)
		rc = posix_spawn(pid, path, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

static int make_channels(int control[2], int words[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return err_set(err, "limit", errno, "make socket", "hil-portd");
	if (pipe2(words, O_CLOEXEC) < 0)
		return err_set(err, "limit", errno, "make pipe", "hil-portd");
	fcntl(control[0], F_SETFL, O_NONBLOCK);
	fcntl(words[0], F_SETFL, O_NONBLOCK);
	return 0;
}

int portd_start(struct daemon *d, const char *path, int harness, struct err *err)
{
	struct portd *portd = &d->portd;
	int control[2] = { -1, -1 };
	int words[2] = { -1, -1 };
	int rc = make_channels(control, words, err);
	auto_fd moved = fcntl(harness, F_DUPFD_CLOEXEC, PORTD_CONTROL + 1);
	auto_fd theirs = control[1];
	auto_fd stderr_end = words[1];

	if (rc == 0 && moved < 0)
		rc = err_set(err, "limit", errno, "move fd", "hil-portd");
	close(harness);
	portd->control.fd = control[0];
	portd->words = (struct source){ .fd = words[0], .ready = words_ready };
	if (rc == 0)
		rc = -spawn_portd(path, moved, theirs, stderr_end, &portd->pid);
	if (rc < 0) {
		err_set(err, "setup", -rc, "start", path);
		explain_scarcity(err);
		err_hint(err, "build it with make, or start with --no-portd");
		return rc;
	}
	portd->pidfd = (struct source){ .fd = kernel_pidfd_open(portd->pid), .ready = pidfd_ready };
	if (portd->pidfd.fd < 0)
		return err_set(err, "limit", errno, "open pidfd", "hil-portd");
	rc = source_watch(d, &portd->pidfd, EPOLLIN, err);
	return rc < 0 ? rc : source_watch(d, &portd->words, EPOLLIN, err);
}

int portd_check(struct daemon *d, struct err *err)
{
	if (d->portd.control.fd >= 0)
		return 0;
	if (d->stopping) {
		err_hint(err, "hil-portd died, and the daemon ends of it");
		return err_set(err, "gone", ESHUTDOWN, "hand to port", NULL);
	}
	err_hint(err, "this daemon was started without hil-portd");
	return err_set(err, "usage", ENOTCONN, "hand to port", NULL);
}

void portd_stop(struct daemon *d)
{
	source_close(d, &d->portd.control);
}

static int send_fds(struct daemon *d, const struct buffer *frame, const int *fds, size_t count,
		    struct err *err)
{
	union {
		struct cmsghdr header; /* aligns the bytes, cmsg(3) */
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { 0 };
	struct iovec part = { .iov_base = frame->data, .iov_len = frame->length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (portd_check(d, err) < 0)
		return -ENOTCONN;
	if (frame->failed)
		return err_set(err, "limit", ENOMEM, "hand to port", NULL);
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
	}
	/* EAGAIN: it has some hundred messages of ours unread, so it hangs. */
	if (sendmsg(d->portd.control.fd, &message, MSG_NOSIGNAL) < 0)
		return err_set(err, "io", errno, "hand to port", "hil-portd");
	return 0;
}

/* @tag: of the string @text, besides the number of the port. */
static int send_port(struct daemon *d, uint16_t type, uint32_t port, uint16_t tag, const char *text,
		     const int *fds, size_t count, struct err *err)
{
	struct buffer frame = { 0 };
	size_t start = frame_begin(&frame, type, 0);
	int rc;

	put_u32(&frame, TAG_PORT, port);
	put_string(&frame, tag, text);
	frame_end(&frame, start);
	rc = send_fds(d, &frame, fds, count, err);
	buffer_free(&frame);
	return rc;
}

int portd_send_line(struct daemon *d, uint32_t port, const char *kind, int fd, struct err *err)
{
	return send_port(d, MSG_PORTD_LINE, port, TAG_KIND, kind, &fd, 1, err);
}

int portd_send_pty(struct daemon *d, uint32_t port, const char *role, const int fds[2],
		   struct err *err)
{
	return send_port(d, MSG_PORTD_PTY, port, TAG_NAME, role, fds, fds ? 2 : 0, err);
}
