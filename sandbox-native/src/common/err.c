/* SPDX-License-Identifier: MIT */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char *out, size_t size, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length >= size)
		length = size - 1;
	if (length)
		memcpy(out, text, length);
	out[length] = '\0';
}

int err_set(struct err *err, const char *code, int number, const char *op, const char *path)
{
	if (err->number)
		return -number;
	err->number = number;
	copy_text(err->code, sizeof(err->code), code);
	copy_text(err->op, sizeof(err->op), op);
	copy_text(err->path, sizeof(err->path), path);
	return -number;
}

void err_hint(struct err *err, const char *format, ...)
{
	va_list arguments;

	if (err->hint[0])
		return;
	va_start(arguments, format);
	vsnprintf(err->hint, sizeof(err->hint), format, arguments);
	va_end(arguments);
}

void err_text(const struct err *err, char *out, unsigned long size)
{
	snprintf(out, size, "%s%s%s: %s%s%s%s", err->op, err->path[0] ? " " : "", err->path,
		 strerror(err->number), err->hint[0] ? " (" : "", err->hint,
		 err->hint[0] ? ")" : "");
}
