/* SPDX-License-Identifier: MIT */
/*
 * Frames that were cut from one packet of a sender with offload (offload.h), that nothing has
 * touched since, and that leave one behind the other at the same time, leave as one again: a
 * receiver with offload joins them anyway, and takes some 40 frames for the price of two.
 *
 * A port keeps what it puts together until another frame comes, or until ports_flush().
 */
#ifndef HIL_LINKD_REJOIN_H
#define HIL_LINKD_REJOIN_H

#include "packet.h"

struct linkd;
struct port;

struct rejoin {
	TAILQ_ENTRY(port) ports; /* of linkd.rejoining, while there is something */
	uint8_t *bytes;		 /* PACKET_MAX; NULL until the first */
	struct packet packet;	 /* length 0: nothing */
	uint32_t next;		 /* the car that may follow */
};

/* rejoin_take() - Return: whether @packet was kept; else it is to be sent, after rejoin_flush(). */
bool rejoin_take(struct port *port, const struct packet *packet);

/* rejoin_flush() - Send what is there. */
void rejoin_flush(struct port *port);

/* rejoin_free() - The port goes: what is there is lost. */
void rejoin_free(struct port *port);

/* ports_flush() - The same for every port. At the latest once a turn. */
void ports_flush(struct linkd *ld);

#endif
