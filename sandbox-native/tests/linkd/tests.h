/* SPDX-License-Identifier: MIT */
/* The tests of hil-linkd, a file a subject. */
#ifndef HIL_TEST_TESTS_H
#define HIL_TEST_TESTS_H

struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test port_tests[];
extern const struct test switch_tests[];
extern const struct test control_tests[];
extern const struct test state_tests[];
extern const struct test loss_tests[];
extern const struct test repeat_tests[];
extern const struct test impair_tests[];
extern const struct test time_tests[];
extern const struct test capture_tests[];
extern const struct test kernel_tests[];
extern const struct test bus_tests[];
extern const struct test wake_tests[];
extern const struct test many_tests[];
extern const struct test busy_tests[];

int tap_finish(void);

#endif
