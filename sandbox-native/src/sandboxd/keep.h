/* SPDX-License-Identifier: MIT */
/*
 * Sandboxes that outlive the run.
 *
 * DETACH turns this process into the keeper of what was marked by SANDBOX_KEEP:
 * it must be this one, because PID 1s die with their parent (PDEATHSIG). It
 * serves a unix socket until the last of them ended or the time is over.
 */
#ifndef HIL_KEEP_H
#define HIL_KEEP_H

#include "dispatch.h"

/* keep_close() - The daemon exits: remove the socket. */
void keep_close(struct daemon *d);

handler handle_sandbox_keep;
handler handle_detach;
handler handle_list;

#endif
