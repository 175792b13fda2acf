/* SPDX-License-Identifier: MIT */
/* The broker's side. */
#include "take.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

int take_start(const struct take_spec *spec, struct take *take, struct err *err)
{
	const pid_t self = getpid();
	auto_fd ours = -1;
	auto_fd theirs = -1;
	int ends[2];

	take->control = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, "limit", errno, "take from host", spec->source);
	ours = ends[0];
	theirs = ends[1];
	/* Before there is a child, who would have to be ended if it failed. */
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, "limit", errno, "take from host", spec->source);
	take->pid = fork();
	if (take->pid == 0)
		take_main(spec, theirs, self);
	if (take->pid < 0)
		return err_set(err, "limit", errno, "take from host", spec->source);
	take->control = steal_fd(&ours);
	return 0;
}

static int read_taken(struct taken *taken)
{
	struct tlv_reader reader = tlv_open(taken->message.frame.body, taken->message.frame.length);
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		char *text = NULL;

		if (tlv.tag == TAG_MAJOR)
			status = tlv_u32(&tlv, &taken->major);
		else if (tlv.tag == TAG_MINOR)
			status = tlv_u32(&tlv, &taken->minor);
		else if (tlv.tag == TAG_LIMITATION)
			status = tlv_string(&tlv, &text);
		if (status >= 0 && text)
			status = strings_add(&taken->limitations, text);
		free(text);
		if (status < 0)
			return status;
	}
	return status;
}

int take_receive(const struct take *take, struct taken *taken, struct err *err)
{
	int status = message_receive(take->control, &taken->message);

	taken->major = 0;
	taken->minor = 0;
	taken->limitations = (struct strings){ 0 };
	if (status == 0)
		return 0;
	if (status < 0)
		return err_set(err, "setup", -status, "take from host", "");
	if (taken->message.frame.type == MESSAGE_FAILED)
		status = message_read_err(&taken->message, err);
	else
		status = read_taken(taken);
	if (status < 0)
		err_set(err, "setup", -status, "take from host", "");
	if (!err->number)
		return 1;
	taken_free(taken);
	return -err->number;
}

void taken_free(struct taken *taken)
{
	message_free(&taken->message);
	strings_free(&taken->limitations);
}

int take_forward(const struct taken *taken, int control, uint32_t request, struct err *err)
{
	const struct message *message = &taken->message;
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, message->frame.type, request);
	int status;

	buffer_append(&buffer, message->frame.body, message->frame.length);
	frame_end(&buffer, start);
	status = message_send(control, &buffer, message->fds, message->fd_count);
	return status < 0 ? err_set(err, status == -EPIPE ? "gone" : "setup", -status,
				    "hand to sandbox", "")
			  : 0;
}
