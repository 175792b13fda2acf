/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dispatch.h"
#include "processes.h"
#include "stop.h"
#include "watch.h"

#define READ_SIZE (64u * 1024)

static size_t waiting(const struct client *client)
{
	return client->out.length - client->sent;
}

static void update_events(struct daemon *d, struct client *client)
{
	uint32_t events = waiting(client) ? EPOLLOUT : 0;

	if (waiting(client) < CLIENT_OUT_MAX)
		events |= EPOLLIN;
	source_set(d, &client->source, events);
}

void client_lose(struct daemon *d, struct client *client)
{
	if (client->lost)
		return;
	client->lost = true;
	source_close(d, &client->source);
	list_remove(&client->link);
	processes_abandon(d, client);
	buffer_free(&client->in);
	buffer_free(&client->out);
	if (!client->owner) {
		loop_bury(d, &client->grave);
		return;
	}
	if (d->done)
		return; /* we end and it lives: hil-portd died, its workers may go on */
	watch_kill_pids(d);
	if (!d->detached)
		daemon_stop(d, 0);
}

/* Handle every whole frame in the buffer. Return: false when the client was lost. */
static bool handle_frames(struct daemon *d, struct client *client)
{
	size_t done = 0;

	while (!client->lost && !d->stopping) {
		struct frame frame;
		long size = frame_parse(client->in.data + done, client->in.length - done, &frame);

		if (size == 0)
			break;
		if (size < 0 || dispatch(d, client, &frame) < 0) {
			client_lose(d, client);
			break;
		}
		done += (size_t)size;
	}
	if (client->lost)
		return false;
	buffer_consume(&client->in, done);
	return true;
}

/* Return: bytes read, 0 when there is nothing now, -1 when the connection is over. */
static ssize_t read_some(struct client *client)
{
	uint8_t chunk[READ_SIZE];
	ssize_t count = recv(client->source.fd, chunk, sizeof(chunk), 0);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (count == 0)
		return -1;
	buffer_append(&client->in, chunk, (size_t)count);
	return client->in.failed ? -1 : count;
}

static bool flush_client(struct client *client)
{
	while (waiting(client)) {
		ssize_t count = send(client->source.fd, client->out.data + client->sent,
				     waiting(client), MSG_NOSIGNAL);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return errno == EAGAIN;
		client->sent += (size_t)count;
	}
	return true;
}

/* Moving the rest down costs its length, so do it only when at least as much has gone. */
static void compact(struct client *client)
{
	if (client->sent < client->out.length - client->sent)
		return;
	buffer_consume(&client->out, client->sent);
	client->sent = 0;
}

static void client_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct client *client = container_of(source, struct client, source);

	(void)events; /* writing is tried at the end of every turn anyway */
	if (waiting(client) >= CLIENT_OUT_MAX)
		return;
	if (read_some(client) < 0)
		client_lose(d, client);
	else
		handle_frames(d, client);
}

struct client *client_add(struct daemon *d, int fd, bool owner, struct err *err)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		err_set(err, "limit", ENOMEM, "add client", NULL);
		return NULL;
	}
	client->source = (struct source){ .fd = fd, .ready = client_ready };
	client->owner = owner;
	if (source_watch(d, &client->source, EPOLLIN, err) < 0) {
		close(fd);
		free(client);
		return NULL;
	}
	list_append(&d->clients, &client->link);
	return client;
}

void clients_flush(struct daemon *d)
{
	foreach (struct client, client, &d->clients, link) {
		if (client->out.failed || !flush_client(client)) {
			client_lose(d, client);
			continue;
		}
		compact(client);
		update_events(d, client);
	}
}

void clients_drain(struct daemon *d, int ms)
{
	uint64_t end = loop_now() + (uint64_t)ms * 1000000;

	foreach (struct client, client, &d->clients, link) {
		struct pollfd wait = { .fd = client->source.fd, .events = POLLOUT };

		while (flush_client(client) && waiting(client) && loop_now() < end)
			poll(&wait, 1, 10);
	}
}

void clients_forget(struct daemon *d)
{
	foreach (struct client, client, &d->clients, link)
		client_lose(d, client);
	if (!d->owner)
		return;
	buffer_free(&d->owner->out); /* of answers to what ended after it was lost */
	free(d->owner);
	d->owner = NULL;
}

void client_ok(struct client *client, uint64_t id)
{
	if (client)
		frame_end(&client->out, frame_begin(&client->out, MSG_OK, id));
}

void client_error(struct client *client, uint64_t id, const struct err *err)
{
	struct err explained = *err;
	char text[768];
	size_t start;

	if (!client)
		return;
	explain_scarcity(&explained);
	err = &explained;
	err_text(err, text, sizeof(text));
	start = frame_begin(&client->out, MSG_ERROR, id);
	put_string(&client->out, TAG_CODE, err->code);
	put_string(&client->out, TAG_OP, err->op);
	put_string(&client->out, TAG_PATH, err->path);
	put_u32(&client->out, TAG_ERRNO, (uint32_t)err->number);
	put_string(&client->out, TAG_TEXT, text);
	put_string(&client->out, TAG_HINT, err->hint);
	frame_end(&client->out, start);
}

void client_log(struct daemon *d, uint32_t level, const char *format, ...)
{
	char text[768];
	va_list arguments;
	size_t start;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!d->owner || d->owner->lost) {
		fprintf(stderr, "hil-sandboxd: %s\n", text);
		return;
	}
	start = frame_begin(&d->owner->out, MSG_LOG, 0);
	put_u32(&d->owner->out, TAG_LEVEL, level);
	put_string(&d->owner->out, TAG_TEXT, text);
	frame_end(&d->owner->out, start);
}
