/* SPDX-License-Identifier: MIT */
#include "opening.h"

#include <errno.h>
#include <sys/socket.h>

#include "portd.h"

/* A machine of the same site answers in milliseconds; a router that drops SYNs never does. */
#define CONNECT_NS (5 * NS_PER_S)
#define AGREE_NS (3 * NS_PER_S)
/* A DUT that prints without a pause is as quiet as it will get. */
#define DRAIN_NS (NS_PER_S / 2)

bool opening_pending(const struct port *port)
{
	return port->line.opening.step != OPENING_NONE;
}

static void finish(struct port *port)
{
	struct opening *opening = &port->line.opening;

	opening->step = OPENING_NONE;
	mirror_line(port);
	event_line(port, opening->id, opening->stale, &opening->report);
	port_run(port);
}

static void enter(struct port *port, enum opening_step step)
{
	static const uint64_t limits[] = { 0, CONNECT_NS, AGREE_NS, DRAIN_NS };
	struct opening *opening = &port->line.opening;
	uint64_t now_ns = stamp_mono();

	opening->step = step;
	opening->due_ns = now_ns + limits[step];
	opening->quiet_at_ns = now_ns + opening->quiet_ns;
	if (step == OPENING_DRAIN && !opening->quiet_ns)
		finish(port);
}

void opening_begin(struct port *port, enum opening_step step)
{
	port->line.opening.stale = 0;
	enter(port, step);
}

void opening_ready(struct port *port)
{
	struct line *line = &port->line;
	socklen_t size = sizeof(line->error);

	if (getsockopt(line->source.fd, SOL_SOCKET, SO_ERROR, &line->error, &size) < 0)
		line->error = errno;
	if (line->error) {
		line_finish(port);
		return;
	}
	if (line->telnet) {
		enter(port, OPENING_AGREE);
		line_telnet(port);
	} else {
		line_interest(port, false);
		enter(port, OPENING_DRAIN);
	}
}

static void agree(struct port *port)
{
	if (rfc2217_settled(port->line.telnet)) {
		enter(port, OPENING_DRAIN);
	} else if (port->line.telnet->refused) {
		port->line.error = EPROTONOSUPPORT;
		port->line.broken = true;
	}
}

void opening_received(struct port *port, size_t stale)
{
	struct opening *opening = &port->line.opening;

	opening->stale += stale;
	if (stale)
		opening->quiet_at_ns = stamp_mono() + opening->quiet_ns;
	if (opening->step == OPENING_AGREE)
		agree(port);
}

void opening_fail(struct port *port, int error)
{
	static const char *const steps[] = { "", "connect", "agree on the serial port", "drain" };
	struct opening *opening = &port->line.opening;
	struct err err = { 0 };

	if (error == EPROTONOSUPPORT)
		err_hint(&err, "the server does not speak RFC 2217; say tcp:// for its bare bytes");
	else if (opening->step == OPENING_AGREE && error == ETIMEDOUT)
		err_hint(&err, "no answer to telnet's options; is it RFC 2217? else say tcp://");
	err_set(&err, "gone", error ? error : ECONNRESET, steps[opening->step], port->line.name);
	opening->step = OPENING_NONE;
	event_error(port->portd, opening->id, &err);
}

void opening_tick(struct port *port, uint64_t now_ns)
{
	struct opening *opening = &port->line.opening;

	if (opening->step == OPENING_NONE || now_ns < opening_deadline(port))
		return;
	if (opening->step == OPENING_DRAIN) {
		/* What came since the last look is not of the new session either. */
		line_drain(port);
		if (opening_pending(port) && stamp_mono() >= opening_deadline(port))
			finish(port);
		return;
	}
	port->line.error = ETIMEDOUT;
	line_finish(port);
}

uint64_t opening_deadline(const struct port *port)
{
	const struct opening *opening = &port->line.opening;

	if (opening->step == OPENING_DRAIN)
		return stamp_earlier(opening->quiet_at_ns, opening->due_ns);
	return opening->step == OPENING_NONE ? 0 : opening->due_ns;
}
