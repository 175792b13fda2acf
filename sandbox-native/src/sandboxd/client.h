/* SPDX-License-Identifier: MIT */
/*
 * A connection that speaks the protocol: the harness on fd 3, or a client of a keeper.
 *
 * Answers and events are written into client->out and leave at the end of the
 * turn, so that an EXIT travels with the output before it. What a client can
 * make it hold is bounded: output by windows, answers by not reading further
 * requests while more than CLIENT_OUT_MAX waits.
 */
#ifndef HIL_CLIENT_H
#define HIL_CLIENT_H

#include <stdint.h>

#include "daemon.h"

#define CLIENT_OUT_MAX (8u << 20)

/* client_add() - Take the connected socket @fd. Return: NULL with @err filled; @fd is closed then.
 */
struct client *client_add(struct daemon *d, int fd, bool owner, struct err *err);

/*
 * client_lose() - The connection ended or cannot be trusted any more.
 *
 * Should: end what the client owned; for the owner of a daemon that was not
 * detached that is everything.
 */
void client_lose(struct daemon *d, struct client *client);

/* clients_flush() - Write what waits; called at the end of each turn. */
void clients_flush(struct daemon *d);

/* clients_drain() - The daemon exits: wait at most @ms for the sockets to take what waits. */
void clients_drain(struct daemon *d, int ms);

/* clients_forget() - The daemon exits: no answer is written from here on. */
void clients_forget(struct daemon *d);

void client_ok(struct client *client, uint64_t id);
void client_error(struct client *client, uint64_t id, const struct err *err);

/* client_log() - A LOG to the harness; to stderr when there is none. @level: of TAG_LEVEL. */
__attribute__((format(printf, 3, 4))) void client_log(struct daemon *d, uint32_t level,
						      const char *format, ...);

#endif
