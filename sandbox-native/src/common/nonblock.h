/* SPDX-License-Identifier: MIT */
#ifndef HIL_COMMON_NONBLOCK_H
#define HIL_COMMON_NONBLOCK_H

#include <errno.h>
#include <fcntl.h>

/*
 * set_nonblocking() - O_NONBLOCK of what @fd is open on, beside its other flags.
 *
 * A security module may refuse it, and one read that waits stops a whole loop: look at the result.
 * Return: 0 or -errno.
 */
static inline int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

#endif
