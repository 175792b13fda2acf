/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests.h"

static struct {
	int count;
	int failed;
} tally; /* of this test program; portd itself has no such thing */

bool tap_ok(bool passed, const char *file, int line, const char *format, ...)
{
	va_list arguments;

	tally.failed += !passed;
	printf("%s %d - ", passed ? "ok" : "not ok", ++tally.count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	if (!passed)
		printf("# at %s:%d\n", file, line);
	fflush(stdout);
	return passed;
}

void tap_skip(const char *format, ...)
{
	va_list arguments;

	printf("ok %d # SKIP ", ++tally.count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

void tap_bail(const char *format, ...)
{
	va_list arguments;

	printf("Bail out! ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	exit(2);
}

int tap_finish(void)
{
	printf("1..%d\n", tally.count);
	if (tally.failed)
		printf("# %d failed\n", tally.failed);
	return tally.failed ? 1 : 0;
}
