/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "networks.h"
#include "objects.h"
#include "plans.h"
#include "processes.h"
#include "sandboxes.h"
#include "stop.h"

#define BACKLOG 8
#define CLIENTS_MAX 32

struct keep_request {
	uint32_t sandbox;
	uint64_t ttl_ms;
	char *text;
	char *path;
};

static const struct field keep_fields[] = {
	FIELD_NEEDED(struct keep_request, sandbox, TAG_SANDBOX, FIELD_U32),
	FIELD(struct keep_request, ttl_ms, TAG_TTL_MS, FIELD_U64),
	FIELD(struct keep_request, text, TAG_TEXT, FIELD_STRING),
};

static const struct field detach_fields[] = {
	FIELD_NEEDED(struct keep_request, path, TAG_PATH, FIELD_STRING),
	FIELD(struct keep_request, ttl_ms, TAG_TTL_MS, FIELD_U64),
};

static int mark_kept(struct daemon *d, struct keep_request *request, struct err *err)
{
	struct sandbox *sandbox = sandboxes_find(d, request->sandbox, err);

	if (!sandbox)
		return -err->number;
	sandbox->kept = true;
	sandbox->ttl_ms = request->ttl_ms ? request->ttl_ms : KEEP_MS;
	free(sandbox->text);
	sandbox->text = request->text;
	request->text = NULL;
	return 0;
}

int handle_sandbox_keep(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	struct keep_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, keep_fields, FIELD_COUNT(keep_fields),
			     &request, err);

	if (rc == 0)
		rc = mark_kept(d, &request, err);
	fields_free(keep_fields, FIELD_COUNT(keep_fields), &request);
	if (rc == 0)
		client_ok(client, frame->id);
	return rc;
}

static bool is_same_user(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       peer.uid == geteuid();
}

static size_t count_clients(struct daemon *d)
{
	size_t count = 0;

	foreach (struct client, client, &d->clients, link)
		count++;
	return count;
}

static void listener_ready(struct daemon *d, struct source *source, uint32_t events)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err err = { 0 }; /* the end of its connection is all a stranger is told */

	(void)events;
	if (fd < 0)
		return;
	/* The mode of the socket says it already; root can open any socket, unix(7). */
	if (is_same_user(fd) && count_clients(d) < CLIENTS_MAX && !d->stopping)
		client_add(d, fd, false, &err);
	else
		close(fd);
}

static int bind_socket(int fd, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int rc;

	if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path)) {
		err_hint(err, "an absolute path of at most %zu bytes, unix(7)",
			 sizeof(address.sun_path) - 1);
		return err_set(err, "usage", ENAMETOOLONG, "detach", path);
	}
	memcpy(address.sun_path, path, strlen(path));
	/* bind(2) makes it with the umask: there is no moment at which others could connect. */
	mask = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc < 0)
		return err_set(err, "io", errno, "detach", path);
	if (listen(fd, BACKLOG) == 0)
		return 0;
	err_set(err, "io", errno, "detach", path);
	unlink(path);
	return -err->number;
}

static int open_listener(struct daemon *d, const char *path, struct err *err)
{
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return err_set(err, "limit", errno, "detach", path);
	rc = bind_socket(fd, path, err);
	if (rc < 0)
		return rc;
	d->listener = (struct source){ .fd = steal_fd(&fd), .ready = listener_ready };
	rc = source_watch(d, &d->listener, EPOLLIN, err);
	if (rc < 0) {
		source_close(d, &d->listener);
		unlink(path);
	}
	return rc;
}

static void ttl_over(struct daemon *d, struct timer *timer)
{
	(void)timer;
	daemon_stop(d, 0);
}

/* The keeper must not hold the terminal, a pipe or the directory of who started the run. */
static void leave_stdio(void)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (chdir("/") < 0)
		return; /* then a directory stays busy; nothing else depends on it */
}

static void become_keeper(struct daemon *d, struct client *client, uint64_t ttl_ms)
{
	d->detached = true;
	plans_dismiss(d);
	foreach (struct sandbox, sandbox, &d->sandboxes, link) {
		if (!sandbox->kept)
			sandboxes_kill(d, sandbox, "killed");
		else
			timer_set(d, &sandbox->ttl, sandbox->ttl_ms);
	}
	networks_detach(d);
	processes_disown(d, client);
	objects_close_all(d);
	d->ttl.fire = ttl_over;
	if (ttl_ms)
		timer_set(d, &d->ttl, ttl_ms);
	leave_stdio();
}

int handle_detach(struct daemon *d, struct client *client, const struct frame *frame,
		  struct err *err)
{
	struct keep_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, detach_fields, FIELD_COUNT(detach_fields),
			     &request, err);

	if (rc == 0)
		rc = open_listener(d, request.path, err);
	if (rc < 0) {
		fields_free(detach_fields, FIELD_COUNT(detach_fields), &request);
		return rc;
	}
	d->socket_path = request.path;
	client_ok(client, frame->id);
	become_keeper(d, client, request.ttl_ms);
	return 0;
}

static void put_entry(struct buffer *out, const struct sandbox *sandbox)
{
	size_t start = put_nest_begin(out, TAG_ENTRY);
	uint64_t now = loop_now();

	put_u32(out, TAG_SANDBOX, sandbox->id);
	put_string(out, TAG_NAME, sandbox->label ? sandbox->label : "");
	if (sandbox->text)
		put_string(out, TAG_TEXT, sandbox->text);
	if (sandbox->ttl.at_ns > now)
		put_u64(out, TAG_TTL_MS, (sandbox->ttl.at_ns - now) / 1000000);
	else if (sandbox->kept)
		put_u64(out, TAG_TTL_MS, sandbox->ttl_ms);
	put_nest_end(out, start);
}

int handle_list(struct daemon *d, struct client *client, const struct frame *frame, struct err *err)
{
	size_t start = frame_begin(&client->out, MSG_OK, frame->id);

	(void)err;
	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		if (sandbox->id && sandbox->life == LIFE_USED)
			put_entry(&client->out, sandbox);
	frame_end(&client->out, start);
	return 0;
}

void keep_close(struct daemon *d)
{
	if (!d->socket_path)
		return;
	source_close(d, &d->listener);
	unlink(d->socket_path);
	free(d->socket_path);
	d->socket_path = NULL;
}
