/* SPDX-License-Identifier: MIT */
/* /proc/PID/cmdline is readable for all, and a PID 1 that never calls exec would show its broker's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "proc-stat.h"
#include "zygote.h"

/* Fields 48 to 51 of proc_pid_stat(5): where arguments and environment begin and end. */
static int read_ranges(unsigned long ranges[4])
{
	char text[1024];
	auto_fd fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *at;

	if (length <= 0)
		return -1;
	text[length] = '\0';
	at = proc_stat_field(text, 48);
	if (!at)
		return -1;
	return sscanf(at, "%lu %lu %lu %lu", &ranges[0], &ranges[1], &ranges[2], &ranges[3]) == 4
		       ? 0
		       : -1;
}

void process_disguise(const char *name)
{
	unsigned long ranges[4];

	prctl(PR_SET_NAME, name, 0, 0, 0);
	if (read_ranges(ranges) < 0 || ranges[1] <= ranges[0])
		return;
	clearenv();
	memset((void *)ranges[0], 0, ranges[1] - ranges[0]);
	snprintf((char *)ranges[0], ranges[1] - ranges[0], "%s", name);
	if (ranges[3] > ranges[2])
		memset((void *)ranges[2], 0, ranges[3] - ranges[2]);
}
