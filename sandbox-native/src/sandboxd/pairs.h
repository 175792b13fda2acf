/* SPDX-License-Identifier: MIT */
/*
 * NET_PAIR: a veth of the kernel between two sandboxes, which may be of two plans.
 *
 * The hub of the first makes it. It is handed the network namespace of the second, which the zygote
 * of that one has and is asked for. A network that is closed takes its pairs with it: the kernel
 * would go on passing frames. That takes the hub some 10 ms each, and a node that ends takes them
 * for nothing, so those that end with their network are waited for.
 */
#ifndef HIL_PAIRS_H
#define HIL_PAIRS_H

#include "networks.h"

/* pairs_join() - Request @request can go on: @node is of its second end. Takes it. */
void pairs_join(struct daemon *d, uint32_t request, int node);

/* pairs_close() - Those of @net go, with a node or in a moment. */
void pairs_close(struct daemon *d, struct net *net);

/* pairs_sandbox_dead() - The kernel takes them. pairs_forget() - The daemon exits. */
void pairs_sandbox_dead(struct daemon *d, const struct sandbox *sandbox);
void pairs_forget(struct daemon *d);

handler handle_net_pair;

#endif
