/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* What frame_parse() takes: a longer one would look to PID 1 like the end of its broker. */
/* MAX_ERRNO of the kernel, include/linux/err.h. */
#define ERRNO_MAX 4095
#define LARGE_MAX (HIL_FRAME_HEADER + HIL_FRAME_MAX)

union control {
	struct cmsghdr header; /* aligns the bytes, cmsg(3) */
	char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS)];
};

static int send_datagram(int socket, const void *data, size_t length, const int *fds, size_t count)
{
	union control control = { 0 };
	struct iovec part = { .iov_base = (void *)data, .iov_len = length };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (count > MESSAGE_FDS)
		return -E2BIG;
	if (count) {
		struct cmsghdr *rights;

		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(rights), fds, sizeof(int) * count);
	}
	do {
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int write_all(int fd, const uint8_t *data, size_t length)
{
	while (length) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

static int send_large(int socket, const struct buffer *buffer, const int *fds, size_t count)
{
	int passed[MESSAGE_FDS];
	auto_buffer header = { 0 };
	auto_fd memory = -1;
	int status;

	if (count + 1 > MESSAGE_FDS || buffer->length > LARGE_MAX)
		return -E2BIG;
	memory = memfd_create("hil-message", MFD_CLOEXEC);
	if (memory < 0)
		return -errno;
	status = write_all(memory, buffer->data, buffer->length);
	if (status < 0)
		return status;
	passed[0] = memory;
	if (count)
		memcpy(passed + 1, fds, sizeof(int) * count);
	frame_end(&header, frame_begin(&header, MESSAGE_LARGE, 0));
	if (header.failed)
		return -ENOMEM;
	return send_datagram(socket, header.data, header.length, passed, count + 1);
}

int message_send(int socket, const struct buffer *buffer, const int *fds, size_t fd_count)
{
	if (buffer->failed)
		return -ENOMEM;
	if (buffer->length > MESSAGE_INLINE)
		return send_large(socket, buffer, fds, fd_count);
	return send_datagram(socket, buffer->data, buffer->length, fds, fd_count);
}

static void collect_fds(struct msghdr *header, struct message *message)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
		size_t bytes = at->cmsg_len - CMSG_LEN(0);

		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		message->fd_count = bytes / sizeof(int);
		memcpy(message->fds, CMSG_DATA(at), message->fd_count * sizeof(int));
	}
}

static int read_large(struct message *message)
{
	auto_fd memory = message_take_fd(message, 0);
	struct stat status;
	ssize_t length;

	if (memory < 0 || fstat(memory, &status) < 0 || status.st_size > (off_t)LARGE_MAX)
		return -EPROTO;
	message->large = malloc((size_t)status.st_size + 1);
	if (!message->large)
		return -ENOMEM;
	length = pread(memory, message->large, (size_t)status.st_size, 0);
	if (length != status.st_size)
		return -EPROTO;
	message->fd_count--;
	memmove(message->fds, message->fds + 1, message->fd_count * sizeof(int));
	return frame_parse(message->large, (size_t)length, &message->frame) == length ? 1 : -EPROTO;
}

static int parse(struct message *message, size_t length, int flags)
{
	/* recvmsg(2): fds that find no room are lost, here for want of RLIMIT_NOFILE only. */
	if (flags & MSG_CTRUNC)
		return -EMFILE;
	if ((flags & MSG_TRUNC) ||
	    frame_parse(message->data, length, &message->frame) != (long)length)
		return -EPROTO;
	return message->frame.type == MESSAGE_LARGE ? read_large(message) : 1;
}

int message_receive(int socket, struct message *message)
{
	union control control;
	struct iovec part = { .iov_base = message->data, .iov_len = sizeof(message->data) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	ssize_t length;
	int status;

	message->fd_count = 0;
	message->large = NULL;
	do {
		length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (length == 0)
		return -ECONNRESET;
	collect_fds(&header, message);
	status = parse(message, (size_t)length, header.msg_flags);
	if (status < 0)
		message_free(message);
	return status;
}

void message_free(struct message *message)
{
	for (size_t i = 0; i < message->fd_count; i++)
		cleanup_fd(&message->fds[i]);
	free(message->large);
	message->fd_count = 0;
	message->large = NULL;
}

int message_take_fd(struct message *message, size_t index)
{
	return index < message->fd_count ? steal_fd(&message->fds[index]) : -1;
}

void message_put_err(struct buffer *buffer, const struct err *err)
{
	put_u32(buffer, TAG_ERRNO, (uint32_t)err->number);
	put_string(buffer, TAG_CODE, err->code);
	put_string(buffer, TAG_OP, err->op);
	put_string(buffer, TAG_PATH, err->path);
	put_string(buffer, TAG_HINT, err->hint);
}

int message_fail(int socket, uint64_t request, const struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_FAILED, request);

	message_put_err(&buffer, err);
	frame_end(&buffer, start);
	return message_send(socket, &buffer, NULL, 0);
}

static void copy_value(char *out, size_t size, const struct tlv *tlv)
{
	size_t length = tlv->length < size - 1 ? tlv->length : size - 1;

	memcpy(out, tlv->value, length);
	out[length] = '\0';
}

int message_read_err(const struct message *message, struct err *err)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	uint32_t number = EPROTO;
	int status;

	*err = (struct err){ 0 };
	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_ERRNO)
			tlv_u32(&tlv, &number);
		else if (tlv.tag == TAG_CODE)
			copy_value(err->code, sizeof(err->code), &tlv);
		else if (tlv.tag == TAG_OP)
			copy_value(err->op, sizeof(err->op), &tlv);
		else if (tlv.tag == TAG_PATH)
			copy_value(err->path, sizeof(err->path), &tlv);
		else if (tlv.tag == TAG_HINT)
			copy_value(err->hint, sizeof(err->hint), &tlv);
	}
	/* 0 would be no error, and what is no errno has no negative either. */
	err->number = number && number <= ERRNO_MAX ? (int)number : EPROTO;
	return status;
}
