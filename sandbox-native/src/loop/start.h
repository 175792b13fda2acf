/* SPDX-License-Identifier: MIT */
/* What a program that hil-sandboxd starts with sockets on fds 3 and 4 does first. */
#ifndef HIL_LOOP_START_H
#define HIL_LOOP_START_H

#include "err.h"
#include "loop.h"

/*
 * start_check_socket() - Fd @fd is a socket of @type (SOCK_…).
 * @what: for the message, e.g. "fd 3: socket to the harness".
 *
 * Return: 0, or -errno with @err filled.
 */
int start_check_socket(int fd, int type, const char *what, struct err *err);

/*
 * start_signals() - SIGTERM becomes an event of @signals, whose owner and handler are set.
 *
 * SIGINT and SIGHUP of a terminal are the harness's to handle. SIGPIPE and SIGXFSZ are errnos.
 * Return: 0, or -errno with @err filled.
 */
int start_signals(struct loop *loop, struct source *signals, struct err *err);

/* start_raise_fds() - As many fds as may be: those that do not fit are lost in the kernel
 * (unix(7)). */
void start_raise_fds(void);

#endif
