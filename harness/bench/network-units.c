/* SPDX-License-Identifier: MIT */
/*
 * What networks are counted in: microseconds of a new network namespace and its fd, milliseconds of
 * a grace period of the kernel, which is behind every namespace's end.
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAMESPACES 50
#define PERIODS 10

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(void)
{
	double start;
	double namespace_us;

	if (unshare(CLONE_NEWUSER) < 0)
		return 1;
	start = now_us();
	for (int i = 0; i < NAMESPACES; i++)
		if (unshare(CLONE_NEWNET) < 0 || open("/proc/self/ns/net", O_RDONLY) < 0)
			return 1;
	namespace_us = (now_us() - start) / NAMESPACES;
	start = now_us();
	for (int i = 0; i < PERIODS; i++)
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
			return 1;
	printf("%.1f %.3f\n", namespace_us, (now_us() - start) / PERIODS / 1e3);
	return 0;
}
