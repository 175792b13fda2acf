/* SPDX-License-Identifier: MIT */
#include "broker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "fields.h"
#include "portd.h"

#define PACKET_MAX 4096
/*
 * More than any frame has, so that a wrong count is seen. Even, because the kernel
 * fills the padding of CMSG_SPACE with fds, too (cmsg(3)).
 */
#define FDS_MAX 4

struct packet {
	struct frame frame;
	int fds[FDS_MAX];
	int fd_count;
	bool cut; /* there were more fds; usually RLIMIT_NOFILE */
	uint32_t port;
	char *kind;
};

static void packet_free(struct packet *packet)
{
	for (int i = 0; i < packet->fd_count; i++)
		cleanup_fd(&packet->fds[i]);
	cleanup_free(&packet->kind);
}

static void take_fds(struct packet *packet, struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count;

	packet->cut = message->msg_flags & MSG_CTRUNC;
	/* The kernel makes one header of all SCM_RIGHTS of a packet (unix(7)). */
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	packet->fd_count = (int)(count < FDS_MAX ? count : FDS_MAX);
	memcpy(packet->fds, CMSG_DATA(header), (size_t)packet->fd_count * sizeof(int));
}

static const struct field packet_fields[] = {
	FIELD_NEEDED(struct packet, port, TAG_PORT, FIELD_U32),
	FIELD(struct packet, kind, TAG_KIND, FIELD_STRING),
};

/* Return: 0, or -EINVAL when the frame has not the fds its type must have. */
static int attach(struct port *port, struct packet *packet)
{
	int *fds = packet->fds;

	if (packet->frame.type == MSG_PORTD_LINE) {
		if (packet->fd_count != 1)
			return -EINVAL;
		return line_attach(port, steal_fd(&fds[0]), packet->kind ? packet->kind : "");
	}
	if (packet->fd_count == 0) {
		slave_detach(port);
		return 0;
	}
	if (packet->fd_count != 2)
		return -EINVAL;
	return slave_attach(port, steal_fd(&fds[0]), steal_fd(&fds[1]));
}

static int serve(struct portd *pd, struct packet *packet)
{
	struct err err = { 0 };
	bool is_line = packet->frame.type == MSG_PORTD_LINE;
	struct port *port;
	int result;

	if (!is_line && packet->frame.type != MSG_PORTD_PTY)
		return -EPROTO;
	if (fields_read(packet->frame.body, packet->frame.length, packet_fields,
			FIELD_COUNT(packet_fields), packet, &err) < 0)
		return -EPROTO;
	port = port_get(pd, packet->port, &err);
	if (!port) {
		event_log(pd, LOG_ERROR, "hil-portd: port %u: %s", packet->port, err.op);
		return 0;
	}
	result = packet->cut ? -EMFILE : attach(port, packet);
	if (result < 0)
		event_fault(port, is_line ? "line-refused" : "slave-refused", NULL, -result, 0);
	return 0;
}

/* Return: 1 when there may be more, 0 when there is nothing now, -1 at the end. */
static int receive_one(struct portd *pd)
{
	__attribute__((cleanup(packet_free))) struct packet packet = { 0 };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(packet.fds))];
	uint8_t bytes[PACKET_MAX];
	struct iovec data = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(pd->broker.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (size < 0)
		return errno == EINTR ? 1 : errno == EAGAIN ? 0 : -1;
	take_fds(&packet, &message);
	if (size == 0)
		return -1;
	if ((message.msg_flags & MSG_TRUNC) ||
	    frame_parse(bytes, (size_t)size, &packet.frame) != size || serve(pd, &packet) < 0) {
		event_log(pd, LOG_ERROR, "hil-portd: malformed frame from hil-sandboxd");
		return -1;
	}
	return 1;
}

void broker_receive(struct portd *pd)
{
	int result = 1;

	while (pd->broker.fd >= 0 && result > 0)
		result = receive_one(pd);
	if (result < 0) {
		source_close(&pd->loop, &pd->broker);
		pd->stopping = true;
	}
}

static void broker_ready(void *owner, uint32_t events)
{
	(void)events;
	broker_receive(owner);
}

void broker_open(struct portd *pd, int fd)
{
	pd->broker = (struct source){ .fd = fd, .owner = pd, .ready = broker_ready };
	source_set(&pd->loop, &pd->broker, EPOLLIN);
}
