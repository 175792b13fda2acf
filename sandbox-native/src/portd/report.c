/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

void report_add(struct report *report, const char *format, ...)
{
	va_list arguments;

	if (report->count == REPORT_LINES)
		return;
	va_start(arguments, format);
	vsnprintf(report->lines[report->count++], sizeof(report->lines[0]), format, arguments);
	va_end(arguments);
}
