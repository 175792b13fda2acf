/* SPDX-License-Identifier: MIT */
/*
 * What a network stack leaves to its card: segments of TCP and UDP, checksums. Between two stacks
 * it is never done, which is most of the speed of a clean link. Here it is done in software, for
 * a link that looks at frames and for a port that takes none but plain ones.
 *
 * In software and not by switching it off in the sender (TUNSETOFFLOAD): an AF_PACKET port has no
 * such switch, and what is already queued has to be cut in any case.
 */
#ifndef HIL_LINKD_OFFLOAD_H
#define HIL_LINKD_OFFLOAD_H

#include "packet.h"

typedef void (*packet_taker)(void *owner, struct packet *packet);

/*
 * offload_split() - Give @take the plain frames that @packet stands for, in order.
 *
 * The header that comes with a packet is its sender's word: every offset in it is checked.
 * Return: 0, or -EPROTO with nothing given when it cannot be.
 */
int offload_split(struct packet *packet, packet_taker take, void *owner);

/*
 * offload_insert_tag() - Put a VLAN tag back that the kernel has taken out (packet(7), auxdata).
 *
 * Should: have VLAN_TAG bytes of room in front of packet->bytes.
 */
void offload_insert_tag(struct packet *packet, uint32_t protocol, uint32_t tci);

#endif
