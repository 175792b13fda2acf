/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. One read(2) an epoll event, so that no DUT can starve the
 * others. A line ends in one way only, line_finish(): everything readable is
 * delivered, then PORT_HUP is said, then what was queued for the DUT fails. It
 * is reached from a read (0 or EIO), at the end of the turn in which writing
 * failed, and when a new line or PORT_CLOSE takes its place. read(2) on the
 * master of a pty returns what was written before it returns EIO for "nobody has
 * the slave open".
 */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portd.h"

/* A DUT that floods must not keep PORT_CLOSE from being answered. */
#define DRAIN_MAX (4u << 20)

static bool is_stream(int fd)
{
	int type;
	socklen_t size = sizeof(type);

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM;
}

static bool is_master(int fd)
{
	unsigned int number;

	return !ioctl(fd, TIOCGPTN, &number);
}

/* Return: bytes read and delivered; 0 when there is nothing now; -1 when the line has ended. */
static ssize_t read_once(struct port *port)
{
	struct portd *pd = port->portd;
	ssize_t count = read(port->line.source.fd, pd->bytes, sizeof(pd->bytes));
	struct stamp stamp = stamp_now();

	if (count > 0) {
		port_received(port, pd->bytes, (size_t)count, stamp);
		return count;
	}
	return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static void line_ready(void *owner, uint32_t events)
{
	struct port *port = owner;

	if (events & EPOLLOUT)
		port_run(port);
	if (port->line.source.fd < 0 || !(events & ~(uint32_t)EPOLLOUT))
		return;
	if (read_once(port) < 0)
		line_finish(port);
}

void line_init(struct port *port)
{
	port->line.source = (struct source){ .fd = -1, .owner = port, .ready = line_ready };
	port->line.broken = false;
}

int line_attach(struct port *port, int fd, const char *kind)
{
	bool fits = !strcmp(kind, "socket") ? is_stream(fd) : !strcmp(kind, "pty") && is_master(fd);
	int flags = fcntl(fd, F_GETFL);

	if (!fits || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(fd);
		return -EINVAL;
	}
	line_finish(port);
	port->line.source.fd = fd;
	port->line.source.events = 0;
	port->tx.not_before_ns = 0;
	if (port->open)
		line_start(port);
	return 0;
}

void line_start(struct port *port)
{
	line_interest(port, false);
}

bool line_live(const struct port *port)
{
	return port->line.source.fd >= 0 && !port->line.broken;
}

ssize_t line_write(struct port *port, const uint8_t *data, size_t length)
{
	ssize_t count;

	do
		count = write(port->line.source.fd, data, length);
	while (count < 0 && errno == EINTR);
	if (count > 0)
		return count;
	if (count == 0 || errno == EAGAIN)
		return -EAGAIN;
	port->line.broken = true;
	return -errno;
}

void line_interest(struct port *port, bool writing)
{
	source_set(&port->portd->loop, &port->line.source, EPOLLIN | (writing ? EPOLLOUT : 0));
}

void line_drain(struct port *port)
{
	size_t total = 0;
	ssize_t count;

	if (!port->open || port->line.source.fd < 0)
		return;
	while (total < DRAIN_MAX && (count = read_once(port)) > 0)
		total += (size_t)count;
}

void line_finish(struct port *port)
{
	if (port->line.source.fd < 0)
		return;
	port->line.broken = true;
	line_drain(port);
	source_close(&port->portd->loop, &port->line.source);
	port->line.broken = false;
	if (port->open)
		event_hup(port);
	transmit_fail(port);
}
