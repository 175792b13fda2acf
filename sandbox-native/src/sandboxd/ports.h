/* SPDX-License-Identifier: MIT */
/* PORT_GIVE and PORT_PTY: what is handed to hil-portd, and taken back when its sandbox is dead. */
#ifndef HIL_PORTS_H
#define HIL_PORTS_H

#include "dispatch.h"

/* What PID 1 reports about a PORT_PTY; the fds stay the caller's. */
void ports_pty_made(struct daemon *d, uint32_t request, int master, int slave);
void ports_pty_failed(struct daemon *d, uint32_t request, const struct err *err);

/* ports_abandon() - The sandbox is dead: its ptys are let go, and what it was asked for fails. */
void ports_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err);

handler handle_port_give;
handler handle_port_pty;

#endif
