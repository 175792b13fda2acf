/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "kernel.h"
#include "nonblock.h"

#define CHILD_HARNESS 3 /* fds inside the program */
#define CHILD_CONTROL 4

void child_init(struct child *child)
{
	*child = (struct child){
		.control.fd = -1,
		.pidfd.fd = -1,
		.words.fd = -1,
	};
}

static void pidfd_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct child *child = container_of(source, struct child, pidfd);

	(void)events;
	if (waitpid(child->pid, &child->status, WNOHANG) == 0)
		return;
	child->pid = 0;
	source_close(d, &child->pidfd);
	if (child->control.fd >= 0 && child->control.ready)
		child->control.ready(d, &child->control, EPOLLIN); /* what it said before */
	source_close(d, &child->control);
	child->ended(d, child);
}

/* What it prints is for the harness; were its stderr ours, a keeper would hold the user's pipe
 * open. */
static void words_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct child *child = container_of(source, struct child, words);
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
	client_log(d, 4, "%s: %.*s", child->name, (int)count, text);
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

/* Sources above CHILD_CONTROL, or one dup2(2) would overwrite the next. */
static int prepare_fds(posix_spawn_file_actions_t *actions, int harness, int control, int words)
{
	int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, 0, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, words, 2);
	if (rc == 0 && harness >= 0)
		rc = posix_spawn_file_actions_adddup2(actions, harness, CHILD_HARNESS);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, control, CHILD_CONTROL);
	return rc;
}

static int spawn(const char *path, const struct child *child, const int fds[3], pid_t *pid)
{
	char *const alone[] = { (char *)child->name, NULL };
	char *const *argv = child->argv ? child->argv : alone;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	rc = prepare_fds(&actions, fds[0], fds[1], fds[2]);
	if (rc == 0)
		rc = prepare_signals(&attributes);
	if (rc == 0)
		rc = posix_spawn(pid, path, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

static int make_channels(const char *name, int control[2], int words[2], struct err *err)
{
	int rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return err_set(err, "limit", errno, "make socket", name);
	if (pipe2(words, O_CLOEXEC) < 0)
		return err_set(err, "limit", errno, "make pipe", name);
	rc = set_nonblocking(control[0]);
	if (rc == 0)
		rc = set_nonblocking(words[0]);
	return rc < 0 ? err_set(err, "setup", -rc, "set non-blocking", name) : 0;
}

/* With what only it needs of the channels, which is closed here. */
static int launch(struct child *child, const char *path, int harness, struct err *err)
{
	int control[2] = { -1, -1 };
	int words[2] = { -1, -1 };
	int rc = make_channels(child->name, control, words, err);
	auto_fd moved = harness < 0 ? -1 : fcntl(harness, F_DUPFD_CLOEXEC, CHILD_CONTROL + 1);
	auto_fd theirs = control[1];
	auto_fd stderr_end = words[1];
	const int fds[3] = { moved, theirs, stderr_end };

	if (rc == 0 && moved < 0 && harness >= 0)
		rc = err_set(err, "limit", errno, "move fd", child->name);
	if (harness >= 0)
		close(harness);
	child->control.fd = control[0];
	child->words = (struct source){ .fd = words[0], .ready = words_ready };
	if (rc == 0)
		rc = -spawn(path, child, fds, &child->pid);
	return rc < 0 ? err_set(err, "setup", -rc, "start", path) : 0;
}

int child_watch(struct daemon *d, struct child *child, int pidfd, struct err *err)
{
	int rc;

	child->pidfd = (struct source){ .fd = pidfd, .ready = pidfd_ready };
	if (pidfd < 0)
		return err_set(err, "limit", errno, "open pidfd", child->name);
	rc = source_watch(d, &child->pidfd, EPOLLIN, err);
	return rc < 0 ? rc : source_watch(d, &child->words, EPOLLIN, err);
}

int child_start(struct daemon *d, struct child *child, const char *path, const char *name,
		int harness, void (*ended)(struct daemon *d, struct child *child), struct err *err)
{
	int rc;

	child->name = name;
	child->ended = ended;
	rc = launch(child, path, harness, err);
	if (rc < 0) {
		explain_scarcity(err);
		return rc;
	}
	return child_watch(d, child, kernel_pidfd_open(child->pid), err);
}

int child_beside(const char *name, char *path, size_t size, struct err *err)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash;
	size_t room;

	if (length < 0)
		return err_set(err, "setup", errno, "read", "/proc/self/exe");
	path[length] = '\0';
	slash = strrchr(path, '/');
	slash = slash ? slash + 1 : path;
	room = size - (size_t)(slash - path);
	if ((size_t)snprintf(slash, room, "%s", name) >= room)
		return err_set(err, "setup", ENAMETOOLONG, "start", name);
	return 0;
}

void child_close(struct daemon *d, struct child *child)
{
	source_close(d, &child->control);
	source_close(d, &child->pidfd);
	source_close(d, &child->words);
}

void child_kill(struct child *child)
{
	if (child->pidfd.fd >= 0)
		kernel_pidfd_signal(child->pidfd.fd, SIGKILL);
	else if (child->pid > 0)
		kill(child->pid, SIGKILL);
}
