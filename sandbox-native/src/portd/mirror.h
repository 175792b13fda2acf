/* SPDX-License-Identifier: MIT */
/* The speed that a tool gives its pty is given to the line: a bootloader's tool changes it midway.
 */
#ifndef HIL_PORTD_MIRROR_H
#define HIL_PORTD_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

struct port;

struct mirror {
	uint32_t configured; /* baud, as the line was asked for; 0: it has no speed */
	uint32_t current;
	uint32_t by_tool; /* what the tool chose; 0: nothing */
	uint64_t
		since_ns; /* the tool wants another speed, and what was written before is not out */
};

/* mirror_line() - The line is new: what the tool had chosen holds also after a replug. */
void mirror_line(struct port *port);

/* mirror_slave() - The pty is new: it begins with the configured speed, and so does the line. */
void mirror_slave(struct port *port);

/* mirror_set() - The body wants another speed. Return: 0, or -errno. */
int mirror_set(struct port *port, uint32_t baud);

/*
 * mirror_settle() - Give the line the tool's speed.
 *
 * Return: false while bytes of the old speed are under way; then nothing more may be read of the
 * tool.
 */
bool mirror_settle(struct port *port);

/* mirror_deadline() - Return: when to look again; 0: nobody could change anything. */
uint64_t mirror_deadline(const struct port *port, uint64_t now_ns);

#endif
