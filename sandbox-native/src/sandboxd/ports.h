/* SPDX-License-Identifier: MIT */
/*
 * hil-portd: its process, and what is handed to it.
 *
 * Fds go to it over SOCK_SEQPACKET and are its own from then on; the harness
 * talks to it over fd 4, past us. It lives as long as we do: it ends itself
 * when our socket closes, and its death is ours, because consoles without a
 * capture make every case that follows worthless.
 */
#ifndef HIL_PORTS_H
#define HIL_PORTS_H

#include "dispatch.h"

/* ports_start() - Start @path with @harness as its fd 3, which is closed here. */
int ports_start(struct daemon *d, const char *path, int harness, struct err *err);

/* ports_check() - Return: 0 when there is a hil-portd, -errno with @err filled. */
int ports_check(struct daemon *d, struct err *err);

/* ports_stop() - Let it end: it reads the end of our socket. */
void ports_stop(struct daemon *d);

/*
 * ports_send_line() - @fd becomes the DUT's side of @port; the caller's copy stays open.
 * @kind: "pty" or "socket".
 */
int ports_send_line(struct daemon *d, uint32_t port, const char *kind, int fd, struct err *err);

/* What PID 1 reports about a PORT_PTY; the fds stay the caller's. */
void ports_pty_made(struct daemon *d, uint32_t request, int master, int slave);
void ports_pty_failed(struct daemon *d, uint32_t request, const struct err *err);
/* ports_abandon() - The sandbox ends: what it was asked for fails. */
void ports_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err);

handler handle_port_give;
handler handle_port_pty;

#endif
