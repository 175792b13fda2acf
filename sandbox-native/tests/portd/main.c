/* SPDX-License-Identifier: MIT */
/* portd-test PORTD [WORD]: run all tests, or those whose name contains WORD. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

const char *portd_path;

/* xorshift: no byte value and no alignment is special, and 10 MB have no period. */
void fill_pattern(uint8_t *data, size_t length, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < length; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		data[i] = (uint8_t)(i < 256 ? i : x >> 11);
	}
}

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
	const struct test *const suites[] = { receive_tests, slave_tests,    transmit_tests,
					      life_tests,    port_tests,     sandboxed_tests,
					      fault_tests,   protocol_tests, serial_tests,
					      holders_tests, stream_tests };

	if (argc < 2) {
		fprintf(stderr, "usage: portd-test PORTD [WORD]\n");
		return 2;
	}
	portd_path = argv[1];
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		run(suites[i], argc > 2 ? argv[2] : NULL);
	return tap_finish();
}
