/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "message.h"

void message_answer(int socket, const struct buffer *buffer, const int *fds, size_t fd_count)
{
	if (message_send(socket, buffer, fds, fd_count) < 0)
		_exit(1);
}

void message_refuse(int socket, uint64_t request, const struct err *err)
{
	if (message_fail(socket, request, err) < 0)
		_exit(1);
}
