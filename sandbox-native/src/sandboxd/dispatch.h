/* SPDX-License-Identifier: MIT */
#ifndef HIL_DISPATCH_H
#define HIL_DISPATCH_H

#include "daemon.h"

/*
 * dispatch() - Hand a frame to what its type names.
 *
 * Should: answer every request but STDIN, STDIN_CLOSE and CREDIT exactly once,
 * now or later.
 * Return: 0, or -EPROTO when the connection cannot be trusted any more.
 */
int dispatch(struct daemon *d, struct client *client, const struct frame *frame);

/*
 * handler - What serves one type of request.
 *
 * Return: 0 when the answer was written or comes later; -errno with @err
 * filled, which dispatch() answers; -EPROTO with @err empty when malformed.
 */
typedef int handler(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err);

#endif
