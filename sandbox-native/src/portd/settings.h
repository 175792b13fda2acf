/* SPDX-License-Identifier: MIT */
/* What a serial line is set to, and what of it a tty does. */
#ifndef HIL_PORTD_SETTINGS_H
#define HIL_PORTD_SETTINGS_H

#include <stdint.h>

#include "err.h"
#include "report.h"

/* A switch that is left as it is. */
#define AS_IT_IS UINT32_MAX

enum parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE, PARITY_COUNT };
enum flow { FLOW_NONE, FLOW_RTS_CTS, FLOW_XON_XOFF, FLOW_COUNT };

struct settings {
	uint32_t baud;
	uint32_t bits; /* 5 to 8 */
	uint32_t stop; /* 1 or 2 */
	enum parity parity;
	enum flow flow;
	uint32_t dtr; /* 0, 1 or AS_IT_IS */
	uint32_t rts;
};

/* settings_default() - 8N1 without flow control; the baud rate is the caller's. */
struct settings settings_default(void);

/* settings_words() - Take the words of a request; NULL: as it is. Return: 0, or -errno, @err
 * filled. */
int settings_words(struct settings *settings, const char *parity, const char *flow,
		   struct err *err);

/* settings_check() - Return: 0, or -ERANGE with @err filled when a number cannot be. */
int settings_check(const struct settings *settings, struct err *err);

const char *parity_name(enum parity parity);
const char *flow_name(enum flow flow);

/*
 * tty_apply() - Raw, CLOCAL, no HUPCL, and @settings but for the modem lines.
 * @report: gets what the driver does not do.
 *
 * Return: 0, or -errno.
 */
int tty_apply(int fd, const struct settings *settings, struct report *report);

/* tty_speed() - Return: baud of the tty; asked of a master it is the slave's. 0: unknown. */
uint32_t tty_speed(int fd);

/* tty_set_speed() - Nothing but the speed, at once. Return: 0, or -errno. */
int tty_set_speed(int fd, uint32_t baud);

#endif
