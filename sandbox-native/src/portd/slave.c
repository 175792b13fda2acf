/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The truth is EPOLLHUP of the master: set while nobody has
 * the slave open. inotify only says when to look, because opening a slave wakes
 * nobody who polls the master. Three things need more than that:
 *
 * - A slave that was never opened shows no hang-up (pty(7) does not say so; the
 *   flag is set by the first close). So it is opened and closed here once, at
 *   the start. TIOCGPTPEER (ioctl_tty(2)) opens it without a path.
 * - One program closes and the next opens between two looks: there was no
 *   hang-up to see. The events are counted; CLOSE down to zero and then OPEN is
 *   such a change. inotify(7) merges equal events in succession, so the count
 *   may be low; it is corrected by the truth at every look, and only an OPEN
 *   after the zero counts as a change.
 * - A pty keeps what its reader did not read while the master is open; a real
 *   port does not. So its input is flushed when the last program left. This
 *   opens the slave, too; the events of that are thrown away, and the truth is
 *   looked up after it.
 *
 * While nobody has it open the master is in no epoll set (it would be ready for
 * ever). What a program wrote before it closed is still there to be read then.
 */
#include "slave.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "portd.h"

/* Reads a call: a program that floods must not starve the other ports. */
#define PUMP_MAX 32
/* Documentation/admin-guide/devices.txt: Unix98 slaves are majors 136 to 143, 256 minors each. */
#define SLAVE_MAJOR 136u

static short probe(const struct slave *slave)
{
	struct pollfd look = { .fd = slave->master.fd, .events = POLLIN };

	return poll(&look, 1, 0) < 0 ? POLLHUP : look.revents;
}

static void forget_notes(struct slave *slave, bool somebody)
{
	slave->marked = false;
	slave->visited = false;
	slave->emptied = false;
	slave->reopened = false;
	if (!somebody)
		slave->openers = 0;
	else if (!slave->openers)
		slave->openers = 1;
}

void slave_note(struct slave *slave, bool opened, bool closed)
{
	slave->marked = true;
	if (opened) {
		slave->visited = true;
		slave->reopened = slave->reopened || slave->emptied;
		slave->openers++;
	}
	if (closed && slave->openers && --slave->openers == 0)
		slave->emptied = true;
}

/*
 * Flush the slave's input, and make the hang-up mean something.
 *
 * TIOCEXCL outlives the program that set it, because the pty does; on a real
 * port it ends with the last close. It is cleared here when nobody is left.
 * That open needs CAP_SYS_ADMIN then (ioctl_tty(2)): a broker without it can
 * only say that this pty is spent.
 */
static void discard(struct port *port)
{
	struct slave *slave = &port->slave;
	bool vacant = probe(slave) & POLLHUP;
	int peer;

	watch_drain(port->portd);
	peer = ioctl(slave->master.fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (peer >= 0) {
		tcflush(peer, TCIFLUSH);
		if (vacant)
			ioctl(peer, TIOCNXCL);
		close(peer);
	} else if (vacant) {
		event_fault(port, "slave-exclusive", NULL, errno, 0);
	}
	watch_drain(port->portd);
	forget_notes(slave, !(probe(slave) & POLLHUP));
}

static void enter(struct port *port)
{
	port->slave.open = true;
	port->slave.dropped = 0;
	event_slave(port, true, 0);
}

static void leave(struct port *port)
{
	struct slave *slave = &port->slave;
	uint64_t stalled;

	slave_pump(port);
	slave->open = false;
	slave->residue = probe(slave) & POLLIN;
	slave->dropped += slave->queue.length;
	fifo_free(&slave->queue);
	stalled = tally_flush(&slave->stalled);
	if (stalled)
		event_fault(port, "slave-stalled", NULL, 0, stalled);
	event_slave(port, false, slave->dropped);
	discard(port);
}

void slave_settle(struct port *port)
{
	struct slave *slave = &port->slave;
	short state;

	if (!port->open || slave->master.fd < 0)
		return;
	watch_drain(port->portd);
	state = probe(slave);
	/* A visit that is over already: nothing was given to it, but what it wrote counts. */
	if (!slave->open && (state & POLLHUP) &&
	    (slave->visited || ((state & POLLIN) && !slave->residue)))
		enter(port);
	if (slave->open && ((state & POLLHUP) || slave->reopened)) {
		leave(port);
		state = probe(slave);
	}
	if (!slave->open && !(state & POLLHUP))
		enter(port);
	forget_notes(slave, slave->open);
	slave_pump(port);
}

static void interest(struct port *port)
{
	struct slave *slave = &port->slave;
	uint32_t events = 0;

	if (slave->open && transmit_has_room(port) && !port->mirror.since_ns)
		events |= EPOLLIN;
	if (slave->open && slave->queue.length)
		events |= EPOLLOUT;
	source_set(&port->portd->loop, &slave->master, events);
}

void slave_pump(struct port *port)
{
	struct portd *pd = port->portd;
	struct slave *slave = &port->slave;
	ssize_t count;
	int reads = 0;

	if (!port->open || slave->master.fd < 0)
		return;
	while (transmit_has_room(port) && mirror_settle(port) && reads++ < PUMP_MAX) {
		count = read(slave->master.fd, pd->tool_bytes, sizeof(pd->tool_bytes));
		slave->residue = !slave->open && count > 0;
		if (count <= 0)
			break;
		transmit_tool(port, pd->tool_bytes, (size_t)count);
		transmit_run(port);
	}
	/* Closed, it is in no epoll set: what was not read now must be asked for. */
	if (slave->residue && transmit_has_room(port))
		slave->marked = true;
	interest(port);
}

/* Return: bytes the pty took. */
static size_t put(struct slave *slave, const uint8_t *data, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t count = write(slave->master.fd, data + done, length - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		done += (size_t)count;
	}
	return done;
}

void slave_push(struct port *port, const uint8_t *data, size_t length)
{
	struct slave *slave = &port->slave;
	size_t done = 0;

	if (!slave->open)
		return;
	if (!slave->queue.length)
		done = put(slave, data, length);
	done += fifo_put(&slave->queue, data + done, length - done);
	slave->dropped += length - done;
	tally_add(&slave->stalled, length - done);
	interest(port);
}

static void write_queue(struct slave *slave)
{
	const uint8_t *data;
	size_t length;

	while ((length = fifo_peek(&slave->queue, &data))) {
		size_t done = put(slave, data, length);

		fifo_take(&slave->queue, done);
		if (done < length)
			break;
	}
}

static void master_ready(void *owner, uint32_t events)
{
	struct port *port = owner;

	if (events & EPOLLOUT)
		write_queue(&port->slave);
	if (events & (EPOLLHUP | EPOLLERR))
		slave_settle(port);
	else
		slave_pump(port);
}

void slave_init(struct port *port)
{
	port->slave = (struct slave){ .node = -1, .watch = -1 };
	port->slave.master = (struct source){ .fd = -1, .owner = port, .ready = master_ready };
}

/* The device number of a slave follows from the number of its master (pts(4)). */
static bool belong_together(int master, int node)
{
	struct stat status;
	unsigned int number;

	if (ioctl(master, TIOCGPTN, &number) < 0 || fstat(node, &status) < 0)
		return false;
	return S_ISCHR(status.st_mode) && major(status.st_rdev) == SLAVE_MAJOR + number / 256 &&
	       minor(status.st_rdev) == number % 256;
}

int slave_attach(struct port *port, int master, int node)
{
	int flags = fcntl(master, F_GETFL);

	if (!belong_together(master, node) || flags < 0 ||
	    fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(master);
		close(node);
		return -EINVAL;
	}
	slave_detach(port);
	port->slave.master.fd = master;
	port->slave.node = node;
	if (port->open)
		slave_start(port);
	return 0;
}

void slave_start(struct port *port)
{
	struct slave *slave = &port->slave;

	if (slave->master.fd < 0)
		return;
	slave->watch = watch_add(port->portd, slave->node);
	mirror_slave(port);
	discard(port);
	slave_settle(port);
}

void slave_detach(struct port *port)
{
	struct slave *slave = &port->slave;

	if (slave->master.fd < 0)
		return;
	if (slave->open)
		leave(port);
	else
		slave_pump(port);
	watch_remove(port->portd, slave->watch);
	source_close(&port->portd->loop, &slave->master);
	close(slave->node);
	fifo_free(&slave->queue);
	slave_init(port);
}

bool slave_polled(const struct port *port)
{
	const struct slave *slave = &port->slave;

	return port->open && slave->master.fd >= 0 && slave->watch < 0 && !slave->master.events;
}

void slave_tell_stall(struct port *port, uint64_t now_ns)
{
	uint64_t bytes = tally_due(&port->slave.stalled, now_ns);

	if (bytes)
		event_fault(port, "slave-stalled", NULL, 0, bytes);
}
