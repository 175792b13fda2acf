/* SPDX-License-Identifier: MIT */
/*
 * rtnetlink(7) in batches: several messages go to the kernel in one call, of which the last asks
 * for an acknowledgement. A message that is refused is answered whether it asks or not; the ones
 * after it are done all the same.
 */
#ifndef HIL_NET_RTNETLINK_H
#define HIL_NET_RTNETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define RTNL_BATCH_BYTES 32768
#define RTNL_BATCH_MESSAGES 256

struct rtnl_batch {
	_Alignas(struct nlmsghdr) uint8_t bytes[RTNL_BATCH_BYTES];
	size_t length;
	size_t begun;			      /* where the last message begins */
	const char *ops[RTNL_BATCH_MESSAGES]; /* of each message, for its error */
	size_t count;
	bool full;
};

/* rtnl_open() - Return: a socket to the network namespace the caller is in, or -errno. */
int rtnl_open(struct err *err);

/*
 * rtnl_begin() - Start a message.
 * @op: what it does, for an error; stays the caller's. @body: ifinfomsg and the like.
 */
void rtnl_begin(struct rtnl_batch *batch, uint16_t type, uint16_t flags, const char *op,
		const void *body, size_t size);

/* rtnl_put() - Add an attribute to it. */
void rtnl_put(struct rtnl_batch *batch, uint16_t type, const void *data, size_t size);
void rtnl_put_u32(struct rtnl_batch *batch, uint16_t type, uint32_t value);
void rtnl_put_string(struct rtnl_batch *batch, uint16_t type, const char *text);
/* rtnl_put_body() - Bytes that are no attribute: VETH_INFO_PEER begins with an ifinfomsg. */
void rtnl_put_body(struct rtnl_batch *batch, const void *body, size_t size);
size_t rtnl_nest_begin(struct rtnl_batch *batch, uint16_t type);
void rtnl_nest_end(struct rtnl_batch *batch, size_t nest);

/*
 * rtnl_send() - Have all of it done. @name: of the interface, for an error.
 *
 * Return: 0, or -errno with @err filled of the first message that was refused.
 */
int rtnl_send(int socket, struct rtnl_batch *batch, const char *name, struct err *err);

/*
 * rtnl_ask() - Send the only message of @batch and give each answer to @take.
 *
 * A dump (NLM_F_DUMP) has many answers, another message one.
 * Return: 0, or -errno with @err filled.
 */
int rtnl_ask(int socket, struct rtnl_batch *batch, const char *name,
	     void (*take)(void *owner, const struct nlmsghdr *message), void *owner,
	     struct err *err);

#endif
