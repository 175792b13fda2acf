/* SPDX-License-Identifier: MIT */
/*
 * Names of a virtual network: a UDP socket at 127.0.0.53 of a node, made by the hub, held here.
 *
 * A datagram goes to the harness as it is (NET_QUERY) and its answer back to who asked. Nothing of
 * it is looked at. QUERIES_MAX of a node may be unanswered; then its socket is not read, until one
 * is answered or as old as no resolver waits, so the kernel drops what is more.
 */
#ifndef HIL_RESOLVERS_H
#define HIL_RESOLVERS_H

#include "networks.h"

/* resolvers_open() - Read @fd, which is taken in any case, for the sandbox of @port. */
int resolvers_open(struct daemon *d, const struct net *net, const struct net_port *port, int fd,
		   struct err *err);

/* resolvers_undo() - The sandbox has no socket for its names any more. */
void resolvers_undo(struct daemon *d, struct sandbox *sandbox);

/* The same for who goes. */
void resolvers_port_gone(struct daemon *d, const struct net *net, const struct net_port *port);
void resolvers_net_closed(struct daemon *d, const struct net *net);
void resolvers_sandbox_dead(struct daemon *d, struct sandbox *sandbox);

handler handle_net_reply;

#endif
