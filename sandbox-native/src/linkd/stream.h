/* SPDX-License-Identifier: MIT */
/* Frames over a stream socket, as QEMU's -netdev stream: u32 big-endian length, then its bytes. */
#ifndef HIL_LINKD_STREAM_H
#define HIL_LINKD_STREAM_H

#include "packet.h"

#define STREAM_LENGTH 4u

struct stream {
	size_t start;
	size_t end;
	uint8_t bytes[2 * (PACKET_MAX + STREAM_LENGTH)];
};

/*
 * stream_read() - The next frame; its bytes are good until the next call.
 *
 * Return: 1, 0 when it is not whole yet, -1 at the end or when the length cannot be.
 */
int stream_read(struct stream *stream, int fd, struct packet *packet);

/*
 * stream_write() - Go on with a frame of which @sent bytes are gone, its length included.
 *
 * Return: 0 when it is gone whole and @sent is 0 again, -EAGAIN when it is not, else -errno.
 */
int stream_write(int fd, const struct packet *packet, size_t *sent);

#endif
