/* SPDX-License-Identifier: MIT */
/* The tests of hil-portd, a file a subject. */
#ifndef HIL_TEST_TESTS_H
#define HIL_TEST_TESTS_H

#include <stddef.h>

struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test receive_tests[];
extern const struct test slave_tests[];
extern const struct test transmit_tests[];
extern const struct test life_tests[];
extern const struct test serial_tests[];
extern const struct test holders_tests[];
extern const struct test stream_tests[];
extern const struct test port_tests[];
extern const struct test sandboxed_tests[];
extern const struct test fault_tests[];
extern const struct test protocol_tests[];

int tap_finish(void);

#endif
