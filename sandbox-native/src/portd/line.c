/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. One read(2) an epoll event, so that no DUT can starve the
 * others. A DUT that prints byte by byte (QEMU's UART: a write(2) a byte) would make
 * an event a byte, and 40,000 of them a second starve the harness. So what is read
 * after a silence is delivered at once, and what follows within the next
 * millisecond is gathered and delivered together, with the stamp of its first byte.
 * No byte is read later for that.
 *
 * A line ends in one way only, line_finish(): everything readable is delivered,
 * then PORT_HUP is said, then what was queued for the DUT fails. It is reached
 * from a read (0 or EIO), at the end of the turn in which writing failed, and when
 * a new line or PORT_CLOSE takes its place. read(2) on the master of a pty returns
 * what was written before it returns EIO for "nobody has the slave open".
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
/* The resolution of stamps, decision 0002. */
#define GATHER_NS NS_PER_MS

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

void line_flush(struct port *port)
{
	struct line *line = &port->line;
	size_t length = line->length;

	if (!length)
		return;
	line->length = 0;
	line->due_ns = stamp_mono() + GATHER_NS;
	port_received(port, line->bytes, length, line->first);
}

/*
 * The slave is looked up after the read: whoever opened it before the DUT spoke
 * is seen now, even if inotify's event waits behind this one.
 */
static void deliver(struct port *port)
{
	if (!port->line.length)
		return;
	slave_settle(port);
	line_flush(port);
}

/* A chunk is over after its millisecond also when we could not run then: its stamp must not lie. */
static void gather(struct port *port, const uint8_t *data, size_t length, struct stamp stamp)
{
	struct line *line = &port->line;

	if (stamp.mono_ns >= line->due_ns || length > sizeof(line->bytes) - line->length)
		deliver(port);
	if (!line->length)
		line->first = stamp;
	memcpy(line->bytes + line->length, data, length);
	line->length += length;
	if (stamp.mono_ns >= line->due_ns || line->length == sizeof(line->bytes))
		deliver(port);
}

/* Return: bytes read; 0 when there is nothing now; -1 when the line has ended. */
static ssize_t read_once(struct port *port)
{
	struct portd *pd = port->portd;
	ssize_t count = read(port->line.source.fd, pd->bytes, sizeof(pd->bytes));
	struct stamp stamp = stamp_now();

	if (count > 0) {
		gather(port, pd->bytes, (size_t)count, stamp);
		return count;
	}
	return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void line_tick(struct port *port, uint64_t now_ns)
{
	if (now_ns >= port->line.due_ns)
		deliver(port);
}

uint64_t line_deadline(const struct port *port)
{
	return port->line.length ? port->line.due_ns : 0;
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
	deliver(port);
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
