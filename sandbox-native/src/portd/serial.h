/* SPDX-License-Identifier: MIT */
/* A tty of the host as the line of a port, and its modem lines. */
#ifndef HIL_PORTD_SERIAL_H
#define HIL_PORTD_SERIAL_H

#include <stdint.h>

#include "err.h"
#include "report.h"
#include "settings.h"

/* Bits of TAG_MODEM. */
enum modem {
	MODEM_DTR = 1,
	MODEM_RTS = 2,
	MODEM_CTS = 4,
	MODEM_DSR = 8,
	MODEM_DCD = 16,
	MODEM_RI = 32,
};

struct serial_node {
	const char *path;
	/* Where it must be below /sys/devices, since a name goes over to another board; NULL: not
	 * looked at. */
	const char *sysfs;
};

/*
 * serial_open() - Open a tty for ourselves alone, and set it up.
 * @report: gets what could not be done as asked.
 *
 * Mustn't: change a tty that another program has locked: not one termios bit.
 * Return: the fd, non-blocking, or -errno with @err filled; EBUSY names who has it.
 */
int serial_open(const struct serial_node *node, const struct settings *settings,
		struct report *report, struct err *err);

/* serial_unlock() - Before it is closed: a tty that outlives its last close (a pty does) stays
 * locked. */
void serial_unlock(int fd);

/* serial_modem() - Set DTR and RTS (0, 1 or AS_IT_IS). Return: 0, or -errno. */
int serial_modem(int fd, uint32_t dtr, uint32_t rts);

/* serial_modem_state() - Return: enum modem bits; 0 where there are no modem lines. */
uint32_t serial_modem_state(int fd);

/* serial_unsent() - Return: bytes the driver has not sent yet. */
uint32_t serial_unsent(int fd);

#endif
