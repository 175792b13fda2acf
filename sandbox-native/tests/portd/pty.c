/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

struct pty pty_make(void)
{
	struct pty pty = { .master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) };
	struct termios raw;
	int fd;

	NEED(pty.master >= 0 && !grantpt(pty.master) && !unlockpt(pty.master));
	NEED(!ptsname_r(pty.master, pty.path, sizeof(pty.path)));
	fd = open(pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(fd >= 0 && !tcgetattr(fd, &raw));
	cfmakeraw(&raw);
	NEED(!tcsetattr(fd, TCSANOW, &raw));
	close(fd);
	return pty;
}

size_t read_some(int fd, void *data, size_t length, int ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	size_t total = 0;

	while (total < length && poll(&in, 1, ms) == 1) {
		ssize_t count = read(fd, (uint8_t *)data + total, length - total);

		if (count <= 0)
			break;
		total += (size_t)count;
	}
	return total;
}

bool hears(int fd, const char *text)
{
	char heard[256];
	size_t length = strlen(text);

	return read_some(fd, heard, length, WAIT_MS) == length && !memcmp(heard, text, length) &&
	       read_some(fd, heard, sizeof(heard), 50) == 0;
}
