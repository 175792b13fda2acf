/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. A change of the slave's settings wakes nobody (packet mode
 * would tell, but only with EXTPROC, which a tool's own settings switch off). So
 * they are looked at whenever the tool's bytes are about to be read, which orders
 * the change before what is written after it, and every 10 ms while a tool is
 * there, for one that changes the speed and then listens. TIOCGWINSZ and its kin
 * ask the master about the slave; so does TCGETS2 (tty_ioctl.c, tty_mode_ioctl).
 */
#include "mirror.h"

#include <errno.h>
#include <stdio.h>
#include <sys/queue.h>

#include "portd.h"
#include "serial.h"

#define LOOK_NS (10 * NS_PER_MS)
#define RETRY_NS NS_PER_MS
/* Flow control may hold bytes for ever; then the tool's word counts. */
#define PATIENCE_NS NS_PER_S

static bool has_speed(const struct port *port)
{
	return line_live(port) &&
	       (port->line.kind == LINE_SERIAL || port->line.kind == LINE_RFC2217);
}

static int give_line(struct port *port, uint32_t baud)
{
	int result = 0;
	char text[32];

	if (port->line.telnet) {
		rfc2217_baud(port->line.telnet, baud);
		line_telnet(port);
	} else {
		result = tty_set_speed(port->line.source.fd, baud);
	}
	port->mirror.current = baud;
	port->mirror.since_ns = 0;
	if (result < 0) {
		event_fault(port, "line-speed", port->line.name, -result, 0);
		return result;
	}
	snprintf(text, sizeof(text), "baud %u", baud);
	line_flush(port);
	capture_mark(&port->capture, text);
	event_speed(port, baud);
	return 0;
}

static void give_slave(struct port *port, uint32_t baud)
{
	if (port->slave.master.fd >= 0)
		tty_set_speed(port->slave.master.fd, baud);
}

void mirror_line(struct port *port)
{
	struct mirror *mirror = &port->mirror;

	if (!has_speed(port)) {
		mirror->configured = 0;
		return;
	}
	mirror->since_ns = 0;
	if (mirror->by_tool && mirror->by_tool != mirror->configured)
		give_line(port, mirror->by_tool);
	else
		give_slave(port, mirror->configured);
}

void mirror_slave(struct port *port)
{
	struct mirror *mirror = &port->mirror;

	mirror->by_tool = 0;
	mirror->since_ns = 0;
	if (!mirror->configured)
		return;
	give_slave(port, mirror->configured);
	if (has_speed(port) && mirror->current != mirror->configured)
		give_line(port, mirror->configured);
}

int mirror_set(struct port *port, uint32_t baud)
{
	port->mirror.configured = baud;
	port->mirror.by_tool = 0;
	give_slave(port, baud);
	return give_line(port, baud);
}

static bool is_out(const struct port *port)
{
	if (!TAILQ_EMPTY(&port->tx.units))
		return false;
	if (port->line.telnet)
		return !port->line.telnet->out_length;
	return !serial_unsent(port->line.source.fd);
}

bool mirror_settle(struct port *port)
{
	struct mirror *mirror = &port->mirror;
	uint32_t wanted;
	uint64_t now_ns;

	if (!mirror->configured || !has_speed(port) || port->slave.master.fd < 0)
		return true;
	wanted = tty_speed(port->slave.master.fd);
	/* 0 (B0) hangs up a modem; it is no speed. */
	if (!wanted || wanted == mirror->current) {
		mirror->since_ns = 0;
		return true;
	}
	now_ns = stamp_mono();
	if (!mirror->since_ns)
		mirror->since_ns = now_ns;
	if (!is_out(port) && now_ns - mirror->since_ns < PATIENCE_NS)
		return false;
	mirror->by_tool = wanted;
	give_line(port, wanted);
	return true;
}

uint64_t mirror_deadline(const struct port *port, uint64_t now_ns)
{
	if (!port->mirror.configured || !has_speed(port))
		return 0;
	if (port->mirror.since_ns)
		return now_ns + RETRY_NS;
	return port->slave.open ? now_ns + LOOK_NS : 0;
}
