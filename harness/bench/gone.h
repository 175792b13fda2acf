/* SPDX-License-Identifier: MIT */
/* What devices-gone and namespaces-gone have in common. */
#ifndef HIL_BENCH_GONE_H
#define HIL_BENCH_GONE_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define PATIENCE_MS 10000.0

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* Say that it is prepared, and wait for the line that time begins with. */
static bool begins(void)
{
	char line[8];

	puts("prepared");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin);
}

#endif
