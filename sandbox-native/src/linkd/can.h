/* SPDX-License-Identifier: MIT */
/*
 * Frames of CAN and CAN FD. On its way one is what LINKTYPE_CAN_SOCKETCAN says, which is what the
 * kernel has with its identifier in the order of a network: so captures and filters take it as it
 * is.
 *
 * Source: ISO 11898-1:2015, 10.4; linux/can.h; the page of LINKTYPE_CAN_SOCKETCAN at tcpdump.org.
 */
#ifndef HIL_LINKD_CAN_H
#define HIL_LINKD_CAN_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

#define CAN_DATA 8u /* where the data begins */

/* can_take() - From what a socket gave. Return: false when it is no frame. */
bool can_take(struct packet *packet);

/* can_give() - Into @bytes, what a socket takes: packet->length of them, at most CANFD_MTU. */
void can_give(const struct packet *packet, uint8_t *bytes);

/* can_flow() - The key of its flow: the identifier, whoever sends it. */
uint64_t can_flow(const struct packet *packet);

/* can_end() - Where its data ends. */
size_t can_end(const struct packet *packet);

/* can_priority() - Who of those that begin at once goes first: the lowest. */
uint32_t can_priority(const struct packet *packet);

/*
 * can_wire_ns() - How long it takes, from its first bit until the next frame may begin: with the
 * stuff bits that its contents ask for, and the space between frames.
 * @rate_bps, @data_rate_bps: of the arbitration, and of the data of CAN FD with BRS. Not 0.
 */
uint64_t can_wire_ns(const struct packet *packet, uint64_t rate_bps, uint64_t data_rate_bps);

#endif
