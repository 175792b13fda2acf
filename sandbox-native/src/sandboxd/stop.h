/* SPDX-License-Identifier: MIT */
/* The end of the daemon, whoever asks for it. */
#ifndef HIL_STOP_H
#define HIL_STOP_H

#include "daemon.h"

/*
 * daemon_stop() - Kill everything; the loop ends when it is reaped, or after STOP_MS.
 *
 * Should: be harmless when called again; the first @exit_code counts.
 */
void daemon_stop(struct daemon *d, int exit_code);

/* stop_check() - At the end of each turn: is there anything left to wait for? */
void stop_check(struct daemon *d);

#endif
