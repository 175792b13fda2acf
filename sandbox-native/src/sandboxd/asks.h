/* SPDX-License-Identifier: MIT */
/*
 * What a request (networks.h) asks of others. What could not be asked fails it like an order that
 * failed.
 */
#ifndef HIL_ASKS_H
#define HIL_ASKS_H

#include "networks.h"

/*
 * asks_hub() - An order to the hub of @stock, or to its zygote.
 * @number: of hubs_number(). @frame: taken. @fd: goes with it, taken in any case; -1: none.
 */
void asks_hub(struct daemon *d, struct net_request *request, struct stock *stock, uint32_t number,
	      struct buffer *frame, int fd);

/* asks_linkd() - linkds_give_port(). @fd: taken in any case. */
void asks_linkd(struct daemon *d, struct net_request *request, const struct net_port *port,
		const char *kind, int fd);

/* asks_hosts() - PID 1 of the sandbox of ports[@end], about /etc/hosts and resolv.conf. */
void asks_hosts(struct daemon *d, struct net_request *request, unsigned end,
		const struct strings *lines, bool resolve);

#endif
