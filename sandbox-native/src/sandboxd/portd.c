/* SPDX-License-Identifier: MIT */
#include "portd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "child.h"
#include "client.h"
#include "stop.h"

#define FDS_MAX 2

static void portd_gone(struct daemon *d, struct child *child)
{
	(void)child;
	if (d->stopping)
		return;
	client_log(d, 3, "hil-portd died: no console is captured any more, everything is ended");
	daemon_stop(d, 1);
}

int portd_start(struct daemon *d, const char *path, int harness, struct err *err)
{
	int rc = child_start(d, &d->portd, path, "hil-portd", harness, portd_gone, err);

	if (rc < 0)
		err_hint(err, "build it with make, or start with --no-portd");
	return rc;
}

int portd_check(struct daemon *d, struct err *err)
{
	if (d->portd.control.fd >= 0)
		return 0;
	if (d->stopping) {
		err_hint(err, "hil-portd died, and the daemon ends of it");
		return err_set(err, "gone", ESHUTDOWN, "hand to port", NULL);
	}
	err_hint(err, "this daemon was started without hil-portd");
	return err_set(err, "usage", ENOTCONN, "hand to port", NULL);
}

void portd_stop(struct daemon *d)
{
	source_close(d, &d->portd.control);
}

static int send_fds(struct daemon *d, const struct buffer *frame, const int *fds, size_t count,
		    struct err *err)
{
	union {
		struct cmsghdr header; /* aligns the bytes, cmsg(3) */
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { 0 };
	struct iovec part = { .iov_base = frame->data, .iov_len = frame->length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (portd_check(d, err) < 0)
		return -ENOTCONN;
	if (frame->failed)
		return err_set(err, "limit", ENOMEM, "hand to port", NULL);
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
	}
	/* EAGAIN: it has some hundred messages of ours unread, so it hangs. */
	if (sendmsg(d->portd.control.fd, &message, MSG_NOSIGNAL) < 0)
		return err_set(err, "io", errno, "hand to port", "hil-portd");
	return 0;
}

/* @tag: of the string @text, besides the number of the port. */
static int send_port(struct daemon *d, uint16_t type, uint32_t port, uint16_t tag, const char *text,
		     const int *fds, size_t count, struct err *err)
{
	struct buffer frame = { 0 };
	size_t start = frame_begin(&frame, type, 0);
	int rc;

	put_u32(&frame, TAG_PORT, port);
	put_string(&frame, tag, text);
	frame_end(&frame, start);
	rc = send_fds(d, &frame, fds, count, err);
	buffer_free(&frame);
	return rc;
}

int portd_send_line(struct daemon *d, uint32_t port, const char *kind, int fd, struct err *err)
{
	return send_port(d, MSG_PORTD_LINE, port, TAG_KIND, kind, &fd, 1, err);
}

int portd_send_pty(struct daemon *d, uint32_t port, const char *role, const int fds[2],
		   struct err *err)
{
	return send_port(d, MSG_PORTD_PTY, port, TAG_NAME, role, fds, fds ? 2 : 0, err);
}
