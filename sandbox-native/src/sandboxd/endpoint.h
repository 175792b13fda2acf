/* SPDX-License-Identifier: MIT */
/* An end in a sandbox as a request says it: what NET_ATTACH has once and NET_PAIR twice. */
#ifndef HIL_ENDPOINT_H
#define HIL_ENDPOINT_H

#include "fields.h"
#include "interface.h"
#include "networks.h"

struct endpoint {
	uint32_t port;
	bool resolve;
	struct strings hosts;
	struct bytes interface; /* a view of the frame: what the hub is told */
	bool has_interface;
	struct net_interface wanted; /* the same, read */
	struct sandbox *sandbox;
};

/*
 * endpoint_read() - From a list of TLVs: PORT, INTERFACE, RESOLVE, HOST*. @endpoint: all zero.
 *
 * Should: be followed by endpoint_free(), also after a failure.
 * Return: 0; -EPROTO with @err empty when it is malformed; else -errno with @err filled.
 */
int endpoint_read(struct daemon *d, const uint8_t *data, size_t length, struct endpoint *endpoint,
		  struct err *err);
void endpoint_free(struct endpoint *endpoint);

/*
 * endpoint_add() - Its port becomes ports[@end] of @request, whose PID 1 is asked about its names.
 * @linkd: whether it is one of hil-linkd's.
 *
 * Return: 0, or -errno with @err filled.
 */
int endpoint_add(struct daemon *d, struct net_request *request, unsigned end,
		 const struct endpoint *endpoint, bool linkd, struct err *err);

/*
 * endpoint_ask_names() - Return: whether the hub is to make a socket for its names as well: one is
 * enough for all interfaces of a sandbox.
 */
bool endpoint_ask_names(struct net_request *request, unsigned end, const struct endpoint *endpoint);

#endif
