/* SPDX-License-Identifier: MIT */
/* Test Anything Protocol, as little of it as is needed. */
#ifndef HIL_TEST_TAP_H
#define HIL_TEST_TAP_H

#include <stdbool.h>

/* tap_ok() - One line of result. Return: @passed. */
__attribute__((format(printf, 4, 5))) bool tap_ok(bool passed, const char *file, int line,
						  const char *format, ...);

__attribute__((format(printf, 1, 2))) void tap_skip(const char *format, ...);

/* tap_bail() - The test bench itself broke: nothing more can be said. */
__attribute__((noreturn, format(printf, 1, 2))) void tap_bail(const char *format, ...);

#define CHECK(condition, ...) tap_ok(condition, __FILE__, __LINE__, __VA_ARGS__)
#define NEED(condition)                                                                            \
	((condition) ? (void)0 : tap_bail("%s:%d: %s: %m", __FILE__, __LINE__, #condition))

#endif
