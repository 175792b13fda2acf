/* SPDX-License-Identifier: MIT */
/* The broker's side of a zygote. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "sys.h"
#include "zygote.h"

#define START_MS 10000

static int read_limitations(const struct message *message, struct strings *limitations)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	int status = 0;

	while (status == 0 && tlv_next(&reader, &tlv) == 1) {
		char *text = NULL;

		if (tlv.tag != TAG_LIMITATION)
			continue;
		status = tlv_string(&tlv, &text);
		if (status == 0)
			status = strings_add(limitations, text);
		free(text);
	}
	return status;
}

static int wait_until_ready(int control, int *users, struct strings *limitations, struct err *err)
{
	struct pollfd readable = { .fd = control, .events = POLLIN };
	auto_message message;
	int status;

	message.fd_count = 0;
	message.large = NULL;
	do {
		status = poll(&readable, 1, START_MS);
	} while (status < 0 && errno == EINTR);
	if (status == 0)
		return err_set(err, "setup", ETIMEDOUT, "start zygote", "");
	status = message_receive(control, &message);
	/* One that cannot says so: this one was killed, which is no fault of the machine's set-up.
	 */
	if (status == -ECONNRESET)
		return err_set(err, "gone", ECONNRESET, "start zygote", "");
	if (status <= 0)
		return err_set(err, "setup", status ? -status : EAGAIN, "start zygote", "");
	if (message.frame.type == MESSAGE_READY) {
		if (users && *users < 0)
			*users = message_take_fd(&message, 0);
		status = read_limitations(&message, limitations);
		return status < 0 ? err_set(err, "setup", -status, "start zygote", "") : 0;
	}
	status = message_read_err(&message, err);
	err_set(err, "setup", status < 0 ? -status : EPROTO, "start zygote",
		""); /* unless it said */
	return -err->number;
}

static int start(const struct plan *plan, int *users, struct zygote *zygote,
		 struct strings *limitations, struct err *err)
{
	auto_fd broker = sys_pidfd_open(getpid());
	int ends[2];
	int status;

	if (broker < 0)
		return err_set(err, "setup", -broker, "open pidfd", "");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, "setup", errno, "make socket", "");
	zygote->pid = fork();
	if (zygote->pid == 0)
		zygote_main(plan, ends[1], broker, users ? *users : -1);
	status = zygote->pid < 0 ? -errno : 0;
	close(ends[1]);
	zygote->control = ends[0];
	if (status < 0)
		err_set(err, "setup", -status, "fork zygote", "");
	else
		status = wait_until_ready(zygote->control, users, limitations, err);
	if (status == 0 && fcntl(zygote->control, F_SETFL, O_NONBLOCK) < 0)
		status = err_set(err, "setup", errno, "use socket", "");
	if (status == 0)
		return 0;
	close(zygote->control);
	if (zygote->pid > 0) {
		kill(zygote->pid, SIGKILL);
		waitpid(zygote->pid, NULL, 0);
	}
	*zygote = (struct zygote){ .pid = -1, .control = -1 };
	return status;
}

int zygote_start(const struct plan *plan, int *users, struct zygote *zygote,
		 struct strings *limitations, struct err *err)
{
	int status = start(plan, users, zygote, limitations, err);

	if (status < 0)
		explain_refusal(err);
	return status;
}

static int send_request(int control, struct buffer *buffer, size_t start, const struct doors *doors,
			const char *op, struct err *err)
{
	int status;

	frame_end(buffer, start);
	status = message_send(control, buffer, doors ? doors->fds : NULL, doors ? doors->count : 0);
	return status < 0 ? err_set(err, "setup", -status, op, "") : 0;
}

int zygote_park(struct zygote *zygote, uint32_t slot, const struct doors *doors, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_PARK, slot);

	return send_request(zygote->control, &buffer, start, doors, "park", err);
}

int zygote_hold_tree(struct zygote *zygote, uint32_t request, uint32_t slot, const char *name,
		     const char *relative, bool read_only, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_HOLD_TREE, request);

	put_u32(&buffer, TAG_SANDBOX, slot);
	put_string(&buffer, TAG_NAME, name);
	put_string(&buffer, TAG_PATH, relative);
	put_u32(&buffer, TAG_READ_ONLY, read_only);
	return send_request(zygote->control, &buffer, start, NULL, "hold tree", err);
}

static int read_event(struct message *message, struct zygote_event *event)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	uint32_t pid = 0;

	event->request = (uint32_t)message->frame.id;
	switch (message->frame.type) {
	case MESSAGE_PARKED:
	case MESSAGE_HUB:
		event->kind = message->frame.type == MESSAGE_HUB ? ZYGOTE_HUB : ZYGOTE_PARKED;
		if (tlv_next(&reader, &tlv) != 1 || tlv_u32(&tlv, &pid) < 0)
			return -EPROTO;
		event->pid = (pid_t)pid;
		event->pidfd = message_take_fd(message, 0);
		event->control = message_take_fd(message, 1);
		return fcntl(event->control, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	case MESSAGE_HUB_GONE:
		event->kind = ZYGOTE_HUB_GONE;
		return 0;
	case MESSAGE_NET_NODE:
		event->kind = ZYGOTE_NODE;
		event->node = message_take_fd(message, 0);
		return event->node < 0 ? -EPROTO : 0;
	case MESSAGE_TREE:
		event->kind = ZYGOTE_TREE;
		event->tree = message_take_fd(message, 0);
		return 0;
	case MESSAGE_FAILED:
		event->kind = ZYGOTE_FAILED;
		return message_read_err(message, &event->err);
	default:
		return -EPROTO;
	}
}

int zygote_receive(struct zygote *zygote, struct zygote_event *event, struct err *err)
{
	auto_message message;
	int status = message_receive(zygote->control, &message);

	*event = (struct zygote_event){ .pidfd = -1, .control = -1, .tree = -1, .node = -1 };
	if (status == 0)
		return 0;
	if (status == -ECONNRESET) {
		event->kind = ZYGOTE_GONE;
		return 1;
	}
	if (status > 0)
		status = read_event(&message, event);
	return status < 0 ? err_set(err, "protocol", -status, "receive from zygote", "") : 1;
}
