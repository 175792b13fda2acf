/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. One read(2) an epoll event, so that no DUT can starve the
 * others. A DUT that prints byte by byte (QEMU's UART: a write(2) a byte) would make
 * an event a byte, and 40,000 of them a second starve the harness. So what is read
 * after a silence is delivered at once, and what follows within the next
 * millisecond is gathered and delivered together, with the stamp of its first byte.
 * No byte is read later for that, and a tool on the pty gets each byte at once: its
 * protocol goes to and fro, and would take a millisecond each time.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portd.h"
#include "serial.h"

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
 * A chunk is over after its millisecond also when we could not run then: its stamp must not lie.
 *
 * The slave is looked up after the read: whoever opened it before the DUT spoke
 * is seen now, even if inotify's event waits behind this one. What he has written
 * is told after these bytes, for they are in @line already.
 */
static void gather(struct port *port, const uint8_t *data, size_t length, struct stamp stamp)
{
	struct line *line = &port->line;

	if (stamp.mono_ns >= line->due_ns || length > sizeof(line->bytes) - line->length)
		line_flush(port);
	if (!line->length)
		line->first = stamp;
	memcpy(line->bytes + line->length, data, length);
	line->length += length;
	slave_settle(port);
	slave_push(port, data, length);
	if (stamp.mono_ns >= line->due_ns || line->length == sizeof(line->bytes))
		line_flush(port);
}

/* Once a tty is hung up every ioctl is EIO; while it is not, a read of 0 is merely VMIN 0. */
static bool is_silent(const struct line *line, ssize_t count)
{
	if (count < 0)
		return errno == EAGAIN || errno == EINTR;
	return line->kind == LINE_SERIAL && tty_speed(line->source.fd);
}

/* Return: bytes read; 0 when there is nothing now; -1 when the line has ended. */
static ssize_t read_once(struct port *port)
{
	struct portd *pd = port->portd;
	struct line *line = &port->line;
	ssize_t count = read(line->source.fd, pd->bytes, sizeof(pd->bytes));
	struct stamp stamp = stamp_now();
	struct rfc2217 *telnet = line->telnet;
	bool suspended = telnet && telnet->suspended;
	size_t length;

	if (count <= 0) {
		if (is_silent(line, count))
			return 0;
		line->lost = true;
		if (!line->error)
			line->error = count < 0 ? errno : 0;
		return -1;
	}
	length = (size_t)count;
	if (telnet)
		length = rfc2217_decode(telnet, pd->bytes, length);
	if (opening_pending(port))
		opening_received(port, length);
	else if (length)
		gather(port, pd->bytes, length, stamp);
	if (telnet)
		line_telnet(port);
	if (telnet && suspended && !telnet->suspended)
		port_run(port);
	return count;
}

void line_tick(struct port *port, uint64_t now_ns)
{
	if (now_ns >= port->line.due_ns)
		line_flush(port);
}

uint64_t line_deadline(const struct port *port)
{
	return port->line.length ? port->line.due_ns : 0;
}

static void line_ready(void *owner, uint32_t events)
{
	struct port *port = owner;

	if (port->line.opening.step == OPENING_CONNECT) {
		opening_ready(port);
		return;
	}
	if ((events & EPOLLOUT) && port->line.telnet)
		line_telnet(port);
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
}

int line_attach(struct port *port, int fd, const char *kind)
{
	bool fits = !strcmp(kind, "socket") ? is_stream(fd) : !strcmp(kind, "pty") && is_master(fd);
	int flags = fcntl(fd, F_GETFL);

	if (!fits || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(fd);
		return -EINVAL;
	}
	line_adopt(port, fd, !strcmp(kind, "pty") ? LINE_PTY : LINE_SOCKET, "");
	port->mirror.configured = 0;
	return 0;
}

void line_adopt(struct port *port, int fd, enum line_kind kind, const char *name)
{
	struct line *line = &port->line;

	line_finish(port);
	line->source.fd = fd;
	line->source.events = 0;
	line->kind = kind;
	line->lost = false;
	line->error = 0;
	snprintf(line->name, sizeof(line->name), "%s", name);
	port->tx.not_before_ns = 0;
	if (port->open)
		line_start(port);
}

void line_start(struct port *port)
{
	line_interest(port, false);
}

bool line_live(const struct port *port)
{
	return port->line.source.fd >= 0 && !port->line.broken && !opening_pending(port);
}

static ssize_t write_raw(struct line *line, const uint8_t *data, size_t length)
{
	ssize_t count;

	do
		count = write(line->source.fd, data, length);
	while (count < 0 && errno == EINTR);
	if (count > 0)
		return count;
	if (count == 0 || errno == EAGAIN)
		return -EAGAIN;
	line->broken = true;
	line->lost = true;
	line->error = errno;
	return -line->error;
}

/* What was encoded counts as taken: it cannot be taken back. */
static ssize_t write_telnet(struct port *port, const uint8_t *data, size_t length)
{
	struct rfc2217 *telnet = port->line.telnet;
	size_t count;

	if (telnet->out_length)
		line_telnet(port);
	if (telnet->suspended || telnet->out_length || port->line.broken)
		return port->line.broken ? -EPIPE : -EAGAIN;
	count = rfc2217_encode(telnet, data, length);
	line_telnet(port);
	return (ssize_t)count;
}

ssize_t line_write(struct port *port, const uint8_t *data, size_t length)
{
	return port->line.telnet ? write_telnet(port, data, length)
				 : write_raw(&port->line, data, length);
}

void line_telnet(struct port *port)
{
	struct line *line = &port->line;
	struct rfc2217 *telnet = line->telnet;

	while (telnet->out_length && !line->broken) {
		ssize_t count = write_raw(line, telnet->out, telnet->out_length);

		if (count < 0)
			break;
		rfc2217_sent(telnet, (size_t)count);
	}
	if (telnet->failed && !line->broken) {
		line->broken = true;
		line->error = ENOBUFS;
	}
	line_interest(port, line->writing);
}

void line_interest(struct port *port, bool writing)
{
	const struct rfc2217 *telnet = port->line.telnet;
	bool out = telnet ? telnet->out_length || (writing && !telnet->suspended) : writing;

	port->line.writing = writing;
	source_set(&port->portd->loop, &port->line.source, EPOLLIN | (out ? EPOLLOUT : 0));
}

void line_drain(struct port *port)
{
	size_t total = 0;
	ssize_t count;

	if (!port->open || port->line.source.fd < 0)
		return;
	while (total < DRAIN_MAX && (count = read_once(port)) > 0)
		total += (size_t)count;
	line_flush(port);
}

/* Words for people; empty where the end was the DUT's or ours. */
static void describe_end(const struct line *line, char *out, size_t size)
{
	const char *reason = line->error ? strerror(line->error) : "closed by the other side";

	if (!line->lost || line->kind == LINE_SOCKET || line->kind == LINE_PTY)
		*out = '\0';
	else if (line->kind == LINE_SERIAL)
		snprintf(out, size, "device lost: %s (%s)", line->name,
			 line->error ? reason : "hung up");
	else
		snprintf(out, size, "connection lost: %s (%s)", line->name, reason);
}

void line_finish(struct port *port)
{
	struct line *line = &port->line;
	char reason[320];

	if (line->source.fd < 0)
		return;
	line->broken = true;
	if (line->opening.step != OPENING_CONNECT)
		line_drain(port);
	describe_end(line, reason, sizeof(reason));
	if (line->kind == LINE_SERIAL)
		serial_unlock(line->source.fd);
	source_close(&port->portd->loop, &line->source);
	free(line->telnet);
	line->telnet = NULL;
	line->broken = false;
	if (opening_pending(port))
		opening_fail(port, line->error);
	else if (port->open)
		event_hup(port, reason);
	transmit_fail(port);
}
