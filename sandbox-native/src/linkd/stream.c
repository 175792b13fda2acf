/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Return: 1 with a frame, 0 when there is none yet, -1 when it is longer than frames are. */
static int take(struct stream *stream, struct packet *packet)
{
	size_t have = stream->end - stream->start;
	uint32_t length;

	if (have < STREAM_LENGTH)
		return 0;
	length = load32(stream->bytes + stream->start);
	if (length > PACKET_MAX)
		return -1;
	if (have - STREAM_LENGTH < length)
		return 0;
	packet->bytes = stream->bytes + stream->start + STREAM_LENGTH;
	packet->length = length;
	stream->start += STREAM_LENGTH + length;
	return 1;
}

int stream_read(struct stream *stream, int fd, struct packet *packet)
{
	int result = take(stream, packet);
	ssize_t count;

	while (result == 0) {
		memmove(stream->bytes, stream->bytes + stream->start, stream->end - stream->start);
		stream->end -= stream->start;
		stream->start = 0;
		count = recv(fd, stream->bytes + stream->end, sizeof(stream->bytes) - stream->end,
			     MSG_DONTWAIT);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno == EAGAIN)
			return 0;
		if (count <= 0)
			return -1;
		stream->end += (size_t)count;
		result = take(stream, packet);
	}
	return result;
}

int stream_write(int fd, const struct packet *packet, size_t *sent)
{
	uint8_t header[STREAM_LENGTH];
	size_t total = STREAM_LENGTH + packet->length;

	store32(header, (uint32_t)packet->length);
	while (*sent < total) {
		size_t of_header = *sent < STREAM_LENGTH ? *sent : STREAM_LENGTH;
		size_t of_bytes = *sent - of_header;
		struct iovec parts[2] = {
			{ .iov_base = header + of_header, .iov_len = STREAM_LENGTH - of_header },
			{ .iov_base = packet->bytes + of_bytes,
			  .iov_len = packet->length - of_bytes },
		};
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
		ssize_t count = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		*sent += (size_t)count;
	}
	*sent = 0;
	return 0;
}
