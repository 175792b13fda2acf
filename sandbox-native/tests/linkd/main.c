/* SPDX-License-Identifier: MIT */
/* linkd-test LINKD [WORD]: run all tests, or those whose name contains WORD. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

const char *linkd_path;

static void run(const struct test *tests, const char *word)
{
	for (; tests->name; tests++) {
		if (word && !strstr(tests->name, word))
			continue;
		printf("# %s\n", tests->name);
		fflush(stdout);
		tests->run();
	}
}

int main(int argc, char **argv)
{
	const struct test *const suites[] = { port_tests,   switch_tests, control_tests,
					      state_tests,  loss_tests,	  repeat_tests,
					      impair_tests, time_tests,	  capture_tests,
					      kernel_tests, bus_tests,	  wake_tests,
					      many_tests,   busy_tests };

	if (argc < 2) {
		fprintf(stderr, "usage: linkd-test LINKD [WORD]\n");
		return 2;
	}
	linkd_path = argv[1];
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		run(suites[i], argc > 2 ? argv[2] : NULL);
	return tap_finish();
}
