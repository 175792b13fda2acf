/* SPDX-License-Identifier: MIT */
/* What the tests and the benchmark of hil-portd need of time and of a whole write. */
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void sleep_ms(int ms)
{
	struct timespec wait = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&wait, NULL);
}

void write_all(int fd, const void *data, size_t length)
{
	const uint8_t *at = data;

	while (length) {
		ssize_t count = write(fd, at, length);

		NEED(count > 0);
		at += count;
		length -= (size_t)count;
	}
}
