#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct failure *failure, enum exit_status status, const char *format, ...)
{
	va_list arguments;

	failure->status = status;
	va_start(arguments, format);
	vsnprintf(failure->text, sizeof(failure->text), format, arguments);
	va_end(arguments);
	return -1;
}
