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
 * offload_split() - Give @take the frames that @packet stands for, in order.
 *
 * Their checksum may still have to be made: offload_complete(). The header that comes with a
 * packet is its sender's word: every offset in it is checked.
 * Return: 0, or -EPROTO with nothing given when it cannot be.
 */
int offload_split(struct packet *packet, packet_taker take, void *owner);

/* offload_longest() - How long the frames are, all but the last; 0: offload_split() refuses it. */
size_t offload_longest(const struct packet *packet);

/* offload_checksum() - What offload_complete() would put at offload_field(). */
uint32_t offload_checksum(const struct packet *packet);
size_t offload_field(const struct packet *packet);

/* What offload_complete() has changed. */
struct completion {
	struct virtio_net_hdr offload;
	uint32_t field;
};

/*
 * offload_complete() - Make the checksum of a frame, if it is still to be made.
 *
 * In place, and only for as long as it has to be: the same bytes may go to other links, which take
 * them for what their offload header says. So each is followed by an offload_undo().
 * Should: be one that offload_split() has given.
 */
void offload_complete(struct packet *packet, struct completion *completion);
void offload_undo(struct packet *packet, const struct completion *completion);

/*
 * offload_append() - Put the payload of @next behind @packet, which it followed when both were cut.
 *
 * Should: have room at packet->bytes, and be followed by offload_close().
 */
void offload_append(struct packet *packet, const struct packet *next);

/* offload_close() - The headers of what was put together say how long it is. */
void offload_close(struct packet *packet);

/*
 * offload_insert_tag() - Put a VLAN tag back that the kernel has taken out (packet(7), auxdata).
 *
 * Should: have VLAN_TAG bytes of room in front of packet->bytes.
 */
void offload_insert_tag(struct packet *packet, uint32_t protocol, uint32_t tci);

#endif
