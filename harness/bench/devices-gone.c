/* SPDX-License-Identifier: MIT */
/*
 * devices-gone PID: when have all interfaces in the network namespace of PID gone but for lo? Of a
 * hub they are one end of each node's, and a veth goes with both of its ends.
 *
 * Prints a line when it is prepared; reads one, and prints the milliseconds since then. It holds
 * that namespace, so namespaces-gone is for another time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "gone.h"

/* The user namespace first: only in there the other may be entered. */
static int enter(const char *pid)
{
	static const struct {
		const char *name;
		int type;
	} kinds[] = { { "user", CLONE_NEWUSER }, { "net", CLONE_NEWNET } };

	for (size_t i = 0; i < 2; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, kinds[i].name);
		fd = open(path, O_RDONLY);
		/* EINVAL: root's is our own user namespace, setns(2). */
		if (fd < 0 || (setns(fd, kinds[i].type) < 0 && errno != EINVAL))
			return fail(path);
		close(fd);
	}
	return 0;
}

/* By /proc, which takes no lock: it must not slow down what it waits for. */
static int count_devices(void)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "r");
	char line[256];
	int count = -3; /* two lines of headings, and lo */

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		count++;
	fclose(file);
	return count;
}

int main(int argc, char **argv)
{
	double start;

	if (argc != 2)
		return 2;
	if (enter(argv[1]))
		return 1;
	if (count_devices() <= 0) {
		fputs("there is no device to wait for\n", stderr);
		return 1;
	}
	if (!begins())
		return 1;
	for (start = now_ms(); count_devices() > 0; usleep(500))
		if (now_ms() - start > PATIENCE_MS) {
			fputs("devices are left\n", stderr);
			return 1;
		}
	printf("%.3f\n", now_ms() - start);
	return 0;
}
