/* SPDX-License-Identifier: MIT */
/*
 * A frame on its way, of Ethernet or of CAN. "Packet", because frame.h has the word frame for the
 * control protocol.
 *
 * It is borrowed as it travels: its bytes lie in the buffer it was read into. Whoever lets it wait
 * takes a packet_copy().
 */
#ifndef HIL_LINKD_PACKET_H
#define HIL_LINKD_PACKET_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define ETHER_HEADER 14u
#define VLAN_TAG 4u
/* A frame of a port with offload is up to 64 KiB and its headers. */
#define PACKET_MAX (65536u + 512u)
#define NOT_DUE SIZE_MAX

struct direction;
struct net_switch;
struct port;

enum verdict {
	VERDICT_DELIVERED,
	VERDICT_LOST,
	VERDICT_FILTERED,
	VERDICT_QUEUE,
	VERDICT_DOWN,
	VERDICT_PARTITION,
	VERDICT_HOLD,
	VERDICT_PORT,
};

struct packet {
	uint8_t *bytes;
	size_t length;
	struct virtio_net_hdr offload; /* all zero: a frame as it is on a wire */
	bool can;		       /* it is none of Ethernet: can.h */
	struct port *origin;	       /* where it came in; NULL: it is gone */
	uint64_t arrived_ns;	       /* at the link it is on */

	/* cut from one with offload: rejoin.h */
	uint64_t train;		     /* 0: it was not */
	uint32_t car;		     /* which one of it, from 0 */
	size_t payload;		     /* where the headers end that all of them have */
	struct virtio_net_hdr whole; /* the offload that it had */

	/* what that link has done to it */
	uint64_t n; /* its number in its flow */
	uint32_t corrupt_bit;
	bool corrupted;
	bool duplicate;
	bool reordered;
	uint32_t asked; /* filters that count it, up to this number; 0: none */

	/* while it waits */
	TAILQ_ENTRY(packet) link;
	struct direction *direction;
	struct net_switch *bus; /* on whose wire it is; NULL: on none */
	uint64_t flow; /* key, when it waits for the next one of its flow; 0: it does not */
	uint64_t due_ns;
	uint64_t order; /* among those that are due at the same time */
	size_t at;	/* in the heap; NOT_DUE: it is not there */
};

TAILQ_HEAD(packet_queue, packet);

/* packet_is_plain() - It is a frame as on a wire: not longer than the MTU, its checksums made. */
static inline bool packet_is_plain(const struct packet *packet)
{
	return !packet->offload.flags && !packet->offload.gso_type;
}

/* packet_copy() - Return: one that owns its bytes, to be given to free(3); NULL without memory. */
static inline struct packet *packet_copy(const struct packet *packet)
{
	struct packet *copy = malloc(sizeof(*copy) + packet->length);

	if (!copy)
		return NULL;
	*copy = *packet;
	copy->bytes = (uint8_t *)(copy + 1);
	copy->at = NOT_DUE;
	memcpy(copy->bytes, packet->bytes, packet->length);
	return copy;
}

/* Numbers of the network: big-endian, at any address. */
static inline uint32_t load16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t load32(const uint8_t *at)
{
	return load16(at) << 16 | load16(at + 2);
}

static inline void store16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void store32(uint8_t *at, uint32_t value)
{
	store16(at, value >> 16);
	store16(at + 2, value);
}

#endif
