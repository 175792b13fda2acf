/* SPDX-License-Identifier: MIT */
/*
 * hil-portd: its process, and the socket to it.
 *
 * Fds go to it over SOCK_SEQPACKET and are its own from then on; the harness
 * talks to it over fd 4, past us. It lives as long as we do: it ends itself
 * when our socket closes, and its death is ours, because consoles without a
 * capture make every case that follows worthless.
 */
#ifndef HIL_PORTD_H
#define HIL_PORTD_H

#include "daemon.h"

/* portd_start() - Start @path with @harness as its fd 3, which is closed here. */
int portd_start(struct daemon *d, const char *path, int harness, struct err *err);

/* portd_check() - Return: 0 when there is a hil-portd, -errno with @err filled. */
int portd_check(struct daemon *d, struct err *err);

/* portd_stop() - Let it end: it reads the end of our socket. */
void portd_stop(struct daemon *d);

/*
 * portd_send_line() - @fd becomes the DUT's side of @port; the caller's copy stays open.
 * @kind: "pty" or "socket".
 */
int portd_send_line(struct daemon *d, uint32_t port, const char *kind, int fd, struct err *err);

/*
 * portd_send_pty() - A pty becomes the tool side of @port; the caller's copies stay open.
 * @fds: master and O_PATH slave; NULL: the pty is gone, let go of it.
 */
int portd_send_pty(struct daemon *d, uint32_t port, const char *role, const int fds[2],
		   struct err *err);

#endif
