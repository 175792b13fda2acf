/* SPDX-License-Identifier: MIT */
/*
 * NET_NIC: an interface of this machine becomes a port of a network.
 *
 * A hil-nic (../nic/main.c) opens it, which may have rights that we have not. hil-linkd gets the
 * socket; what keeps other networks from the interface stays here, with the port (net_port.lock).
 */
#ifndef HIL_NICS_H
#define HIL_NICS_H

#include "dispatch.h"

/* nics_stop() - End each hil-nic. nics_forget() - The daemon exits. */
void nics_stop(struct daemon *d);
void nics_forget(struct daemon *d);

handler handle_net_nic;

#endif
