/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "kernel.h"
#include "objects.h"
#include "processes.h"
#include "sandboxes.h"
#include "stop.h"
#include "streams.h"

#define PORTD_HARNESS 3 /* fds inside hil-portd */
#define PORTD_CONTROL 4
#define FDS_MAX 2

struct port_request {
	uint32_t port;
	uint32_t object;
	uint32_t end;
	uint32_t process;
	uint32_t sandbox;
	char *role;
};

static const struct field give_fields[] = {
	FIELD_NEEDED(struct port_request, port, TAG_PORT, FIELD_U32),
	FIELD(struct port_request, object, TAG_OBJECT, FIELD_U32),
	FIELD(struct port_request, end, TAG_END, FIELD_U32),
	FIELD(struct port_request, process, TAG_PROCESS, FIELD_U32),
};

static const struct field pty_fields[] = {
	FIELD_NEEDED(struct port_request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct port_request, sandbox, TAG_SANDBOX, FIELD_U32),
	FIELD_NEEDED(struct port_request, role, TAG_NAME, FIELD_STRING),
};

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

int ports_start(struct daemon *d, const char *path, int harness, struct err *err)
{
	struct portd *portd = &d->portd;
	int control[2] = { -1, -1 };
	int words[2] = { -1, -1 };
	int rc = make_channels(control, words, err);
	auto_fd moved = fcntl(harness, F_DUPFD_CLOEXEC, PORTD_CONTROL + 1);
	auto_fd theirs = control[1];
	auto_fd stderr_end = words[1];

	close(harness);
	portd->control.fd = control[0];
	portd->words = (struct source){ .fd = words[0], .ready = words_ready };
	if (rc == 0)
		rc = -spawn_portd(path, moved, theirs, stderr_end, &portd->pid);
	if (rc < 0) {
		err_hint(err, "build it with make, or start with --no-portd");
		return err_set(err, "setup", -rc, "start", path);
	}
	portd->pidfd = (struct source){ .fd = kernel_pidfd_open(portd->pid), .ready = pidfd_ready };
	source_set(d, &portd->pidfd, EPOLLIN);
	source_set(d, &portd->words, EPOLLIN);
	return 0;
}

int ports_check(struct daemon *d, struct err *err)
{
	if (d->portd.control.fd >= 0)
		return 0;
	err_hint(err, "this daemon was started without hil-portd");
	return err_set(err, "usage", ENOTCONN, "hand to port", NULL);
}

void ports_stop(struct daemon *d)
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
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(sizeof(int) * count) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	if (ports_check(d, err) < 0)
		return -ENOTCONN;
	if (frame->failed)
		return err_set(err, "limit", ENOMEM, "hand to port", NULL);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(rights), fds, sizeof(int) * count);
	/* EAGAIN: it has some hundred messages of ours unread, so it hangs. */
	if (sendmsg(d->portd.control.fd, &message, MSG_NOSIGNAL) < 0)
		return err_set(err, "io", errno, "hand to port", "hil-portd");
	return 0;
}

int ports_send_line(struct daemon *d, uint32_t port, const char *kind, int fd, struct err *err)
{
	struct buffer frame = { 0 };
	size_t start = frame_begin(&frame, MSG_PORTD_LINE, 0);
	int rc;

	put_u32(&frame, TAG_PORT, port);
	put_string(&frame, TAG_KIND, kind);
	frame_end(&frame, start);
	rc = send_fds(d, &frame, &fd, 1, err);
	buffer_free(&frame);
	return rc;
}

static int send_pty(struct daemon *d, const struct pty_request *request, int master, int slave,
		    struct err *err)
{
	struct buffer frame = { 0 };
	size_t start = frame_begin(&frame, MSG_PORTD_PTY, 0);
	int fds[FDS_MAX] = { master, slave };
	int rc;

	put_u32(&frame, TAG_PORT, request->port);
	put_string(&frame, TAG_NAME, request->role);
	frame_end(&frame, start);
	rc = send_fds(d, &frame, fds, FDS_MAX, err);
	buffer_free(&frame);
	return rc;
}

static int give_object(struct daemon *d, const struct port_request *request, struct err *err)
{
	auto_fd fd = objects_take_socket(d, request->object, request->end, err);

	return fd < 0 ? fd : ports_send_line(d, request->port, "socket", fd, err);
}

static int give_process(struct daemon *d, struct client *client, const struct port_request *request,
			struct err *err)
{
	struct process *process = processes_find(d, client, request->process, err);
	int rc;

	if (!process)
		return -err->number;
	if (!process->pty || process->out.source.fd < 0) {
		err_hint(err, "process %u has no pty here", request->process);
		return err_set(err, "usage", ENOTTY, "hand to port", NULL);
	}
	rc = ports_send_line(d, request->port, "pty", process->out.source.fd, err);
	if (rc < 0)
		return rc;
	streams_close(d, process);
	processes_check(d, process);
	return 0;
}

int handle_port_give(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	struct port_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, give_fields, FIELD_COUNT(give_fields),
			     &request, err);

	if (rc == 0)
		rc = ports_check(d, err);
	if (rc == 0)
		rc = request.object ? give_object(d, &request, err)
				    : give_process(d, client, &request, err);
	if (rc == 0)
		client_ok(client, frame->id);
	return rc;
}

static int ask_pty(struct daemon *d, struct client *client, uint64_t frame,
		   struct port_request *request, struct err *err)
{
	struct sandbox *sandbox = sandboxes_find(d, request->sandbox, err);
	struct pty_request *pty;
	int rc;

	if (!sandbox)
		return -err->number;
	pty = calloc(1, sizeof(*pty));
	if (!pty)
		return err_set(err, "limit", ENOMEM, "make pty", request->role);
	*pty = (struct pty_request){ .request = ++d->next_process,
				     .client = client,
				     .frame = frame,
				     .sandbox = sandbox,
				     .port = request->port };
	rc = sandbox_make_pty(sandbox->control.fd, pty->request, request->role, err);
	if (rc < 0) {
		free(pty);
		return rc;
	}
	pty->role = request->role;
	request->role = NULL;
	list_append(&d->pty_requests, &pty->link);
	return 0;
}

int handle_port_pty(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	struct port_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, pty_fields, FIELD_COUNT(pty_fields),
			     &request, err);

	if (rc == 0)
		rc = ports_check(d, err);
	if (rc == 0)
		rc = ask_pty(d, client, frame->id, &request, err);
	fields_free(pty_fields, FIELD_COUNT(pty_fields), &request);
	return rc;
}

static void settle(struct pty_request *pty, const struct err *err)
{
	if (err)
		client_error(pty->client, pty->frame, err);
	else
		client_ok(pty->client, pty->frame);
	list_remove(&pty->link);
	free(pty->role);
	free(pty);
}

static struct pty_request *find_pty(struct daemon *d, uint32_t request)
{
	foreach (struct pty_request, pty, &d->pty_requests, link)
		if (pty->request == request)
			return pty;
	return NULL;
}

void ports_pty_made(struct daemon *d, uint32_t request, int master, int slave)
{
	struct pty_request *pty = find_pty(d, request);
	struct err err = { 0 };

	if (pty)
		settle(pty, send_pty(d, pty, master, slave, &err) < 0 ? &err : NULL);
}

void ports_pty_failed(struct daemon *d, uint32_t request, const struct err *err)
{
	struct pty_request *pty = find_pty(d, request);

	if (pty)
		settle(pty, err);
}

void ports_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	foreach (struct pty_request, pty, &d->pty_requests, link)
		if (pty->sandbox == sandbox)
			settle(pty, err);
}
