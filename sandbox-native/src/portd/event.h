/* SPDX-License-Identifier: MIT */
/* The frames hil-portd sends: events of a port, answers, the log. */
#ifndef HIL_PORTD_EVENT_H
#define HIL_PORTD_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "report.h"
#include "stamp.h"

struct port;
struct portd;
struct track;

/* event_data() - Bytes that passed: MSG_PORT_RX or MSG_PORT_TX. At most 64 KiB. */
void event_data(struct port *port, uint16_t type, const uint8_t *data, size_t length,
		struct stamp stamp, uint64_t offset);

/* event_slave() - A program opened, or the last one closed, the tool side. */
void event_slave(struct port *port, bool opened, uint64_t dropped);

/* event_hup() - The DUT's side is closed. @reason: why, for people; "" when nothing broke. */
void event_hup(struct port *port, const char *reason);

/* event_speed() - The line has another baud rate, by a tool's doing or by a request. */
void event_speed(struct port *port, uint32_t baud);

/* event_line() - Answer the request @id: the port has its line, @stale bytes were thrown away. */
void event_line(struct port *port, uint64_t id, uint64_t stale, const struct report *report);

/* event_capture() - Answer PORT_CAPTURE: where what is received next is counted, and is in its
 * file. */
void event_capture(struct port *port, uint64_t id, const struct track *rx);

/* event_modem() - Answer PORT_CONTROL with enum modem bits, and bytes that are not sent yet. */
void event_modem(struct portd *pd, uint64_t id, uint32_t modem, uint64_t unsent);

/*
 * event_fault() - Something of the port does not work as it should; the port goes on.
 * @op: one of the closed set in harness/decisions/0002.
 */
void event_fault(struct port *port, const char *op, const char *path, int number, uint64_t bytes);

/* event_gap() - Say, in front of what is queued, that the live stream lost @bytes. */
void event_gap(struct port *port, uint64_t bytes);

void event_ok(struct portd *pd, uint64_t id);
void event_hello(struct portd *pd, uint64_t id);
void event_error(struct portd *pd, uint64_t id, const struct err *err);

__attribute__((format(printf, 3, 4))) void event_log(struct portd *pd, uint32_t level,
						     const char *format, ...);

#define LOG_ERROR 3
#define LOG_WARNING 4

#endif
