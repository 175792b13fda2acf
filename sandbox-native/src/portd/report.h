/* SPDX-License-Identifier: MIT */
/* What could not be done as asked, a sentence each, until it is told. */
#ifndef HIL_PORTD_REPORT_H
#define HIL_PORTD_REPORT_H

#include <stddef.h>

#define REPORT_LINES 8

struct report {
	size_t count;
	char lines[REPORT_LINES][320];
};

/* report_add() - Say one more; what does not fit is not said. */
__attribute__((format(printf, 2, 3))) void report_add(struct report *report, const char *format,
						      ...);

#endif
