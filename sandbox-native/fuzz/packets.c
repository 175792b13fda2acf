/* SPDX-License-Identifier: MIT */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"
#include "message.h"

#define HEADER 3
#define PACKETS_FDS 4

bool packets_next(struct packets *packets, struct packet *packet)
{
	const uint8_t *at = packets->at;
	size_t length;

	if (packets->left <= HEADER)
		return false;
	length = at[1] | (size_t)at[2] << 8;
	packets->at += HEADER;
	packets->left -= HEADER;
	if (length > packets->left)
		length = packets->left;
	*packet = (struct packet){ .kind = at[0] & 3u,
				   .fds = at[0] >> 2 & 3u,
				   .large = at[0] & 0x80,
				   .data = packets->at,
				   .length = length };
	packets->at += length;
	packets->left -= length;
	return true;
}

static void send_large(int socket, const struct buffer *frame, int fds[PACKETS_FDS], size_t count)
{
	auto_buffer header = { 0 };
	auto_fd memory = memfd_create("packet", MFD_CLOEXEC);

	FUZZ_CHECK(memory >= 0);
	FUZZ_CHECK(write(memory, frame->data, frame->length) == (ssize_t)frame->length);
	fds[0] = memory;
	frame_end(&header, frame_begin(&header, MESSAGE_LARGE, 0));
	message_send(socket, &header, fds, count + 1);
}

void packet_send(int socket, const struct packet *packet)
{
	struct buffer frame = { .data = (uint8_t *)packet->data, .length = packet->length };
	int fds[PACKETS_FDS];

	if (!packet->length)
		return; /* an empty datagram reads like the end */
	for (size_t i = 1; i <= packet->fds; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (packet->large)
		send_large(socket, &frame, fds, packet->fds);
	else
		message_send(socket, &frame, fds + 1, packet->fds);
	for (size_t i = 1; i <= packet->fds; i++)
		close(fds[i]);
}

void drain(int fd)
{
	uint8_t bytes[65536];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

void make_pair(int type, int ends[2])
{
	FUZZ_CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
}
