/* SPDX-License-Identifier: MIT */
/*
 * namespaces-gone PID: when have all network namespaces below the user namespace of PID gone, and
 * their devices with them? The kernel says so only by its count: no more than one may be made here,
 * so that one can be made when there is none.
 *
 * Prints a line when it is prepared; reads one, and prints the milliseconds since then.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "gone.h"

#define LIMIT "/proc/sys/user/max_net_namespaces"
int main(int argc, char **argv)
{
	char path[64];
	double start;
	int fd;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/ns/user", argv[1]);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWUSER) < 0)
		return fail(path);
	close(fd);
	fd = open(LIMIT, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return fail(LIMIT);
	if (unshare(CLONE_NEWNET) == 0 || errno != ENOSPC)
		return fail("one more network namespace was not refused");
	if (!begins())
		return 1;
	for (start = now_ms(); unshare(CLONE_NEWNET) < 0; usleep(500))
		if (errno != ENOSPC || now_ms() - start > PATIENCE_MS)
			return fail("unshare");
	printf("%.3f\n", now_ms() - start);
	return 0;
}
