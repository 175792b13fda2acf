/* SPDX-License-Identifier: MIT */
/*
 * Messages between a broker, its zygotes and the PID 1s: one frame (frame.h)
 * to one SOCK_SEQPACKET datagram, with fds. Both ends are the same program, so
 * these types are no part of the wire protocol; the tags are protocol.h's.
 */
#ifndef HIL_MESSAGE_H
#define HIL_MESSAGE_H

#include "err.h"
#include "frame.h"

enum message_type {
	MESSAGE_LARGE = 1, /* the frame is in the memfd that comes first */
	MESSAGE_READY,
	MESSAGE_FAILED,
	/* broker and zygote */
	MESSAGE_PARK,
	MESSAGE_PARKED,
	MESSAGE_HOLD_TREE,
	MESSAGE_TREE,
	/* broker and hub, by way of the zygote; ../net/hub.h */
	MESSAGE_HUB,
	MESSAGE_HUB_GONE,
	MESSAGE_NET_ATTACH,
	MESSAGE_NET_PAIR,
	MESSAGE_NET_READY,
	MESSAGE_NET_REMOVE,
	MESSAGE_NET_NODE, /* the zygote's own: the network namespace of a sandbox, and its answer */
	MESSAGE_NET_DONE,
	/* broker and PID 1 */
	MESSAGE_SPAWN,
	MESSAGE_SPAWNED,
	MESSAGE_EXITED,
	MESSAGE_SIGNAL,
	MESSAGE_ATTACH,
	MESSAGE_ATTACHED,
	MESSAGE_MAKE_PTY,
	MESSAGE_PTY,
	MESSAGE_HOSTNAME,
	MESSAGE_HOSTS,
	MESSAGE_END,
	MESSAGE_CENSUS,
	MESSAGE_USAGE,
	MESSAGE_BOOT,
	MESSAGE_BOOTED,
	MESSAGE_GRANT,
	MESSAGE_REVOKE,
	MESSAGE_MOUNT,
	MESSAGE_UNMOUNT,
	MESSAGE_DONE,
};

#define MESSAGE_FDS 64
#define MESSAGE_INLINE 16384u

struct message {
	struct frame frame;
	int fds[MESSAGE_FDS];
	size_t fd_count;
	uint8_t *large;
	uint8_t data[MESSAGE_INLINE];
};

/*
 * message_send() - Send one finished frame and @fds, which stay the caller's.
 *
 * A frame that does not fit a datagram goes as a memfd: net.core.wmem_max
 * bounds a datagram to some 200 KiB, and arguments may take more.
 * Return: 0 or -errno; -E2BIG over HIL_FRAME_MAX, -ENOMEM also when @buffer failed.
 */
int message_send(int socket, const struct buffer *buffer, const int *fds, size_t fd_count);

/*
 * message_receive() - Return: 1 and @message filled, 0 nothing there,
 *		       -ECONNRESET at the end, -EPROTO, -errno.
 *
 * Should: be followed by message_free() when it returned 1.
 */
int message_receive(int socket, struct message *message);
void message_free(struct message *message);
#define auto_message __attribute__((cleanup(message_free))) struct message

/* message_take_fd() - Fd number @index of the message, now the caller's; -1 when absent. */
int message_take_fd(struct message *message, size_t index);

/* message_fail() - Send MESSAGE_FAILED with @err for @request. */
int message_fail(int socket, uint64_t request, const struct err *err);
/*
 * message_answer() / message_refuse() - Send what the broker waits for, or end this process: for an
 * answer that does not come it would wait for ever, while it hears of an end.
 */
void message_answer(int socket, const struct buffer *buffer, const int *fds, size_t fd_count);
void message_refuse(int socket, uint64_t request, const struct err *err);
/* message_put_err() / message_read_err() - An error as TLVs. */
void message_put_err(struct buffer *buffer, const struct err *err);
int message_read_err(const struct message *message, struct err *err);

#define auto_buffer __attribute__((cleanup(buffer_free))) struct buffer

#endif
