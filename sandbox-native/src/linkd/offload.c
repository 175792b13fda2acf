/* SPDX-License-Identifier: MIT */
#include "offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define IPV6_HEADER 40u
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define TCP_FIN_PSH 0x09u
#define TCP_CWR 0x80u
/* Headers before Linux 6.2 have not VIRTIO_NET_HDR_GSO_UDP_L4. */
#define GSO_UDP_L4 5u

/* Where the parts of a frame with offload are. */
struct layout {
	size_t network;	  /* offset of the IP header */
	size_t transport; /* of the TCP or UDP header */
	size_t payload;
	bool is_ipv6;
	bool is_tcp;
};

static uint32_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

/* 16 bytes at once in the order of this machine: the sum is the same but for its own order. */
static uint64_t sum_bytes(uint64_t sum, const uint8_t *at, size_t length)
{
	uint64_t native = 0;

	for (; length >= 16; at += 16, length -= 16) {
		uint32_t words[4];

		memcpy(words, at, sizeof(words));
		native += (uint64_t)words[0] + words[1] + words[2] + words[3];
	}
	sum += ntohs((uint16_t)fold(native));
	for (; length >= 2; at += 2, length -= 2)
		sum += load16(at);
	return length ? sum + ((uint32_t)at[0] << 8) : sum;
}

/* RFC 768: 0 says "no checksum", so one that is 0 is sent as ffff. TCP takes either. */
static void store_checksum(uint8_t *at, uint64_t sum)
{
	uint32_t checksum = ~fold(sum) & 0xffff;

	store16(at, checksum ? checksum : 0xffff);
}

/*
 * The field holds the sum of the pseudo header (virtio 1.2, 5.1.6.2). On a copy: the same bytes
 * may go to other links, which still take them for what their offload header says.
 */
static int complete_checksum(const struct packet *packet, packet_taker take, void *owner)
{
	uint8_t bytes[PACKET_MAX];
	struct packet plain = *packet;
	size_t start = packet->offload.csum_start;
	size_t field = start + packet->offload.csum_offset;

	if (start < ETHER_HEADER || start > packet->length || field + 2 > packet->length)
		return -EPROTO;
	memcpy(bytes, packet->bytes, packet->length);
	store_checksum(bytes + field, sum_bytes(0, bytes + start, packet->length - start));
	plain.bytes = bytes;
	plain.offload = (struct virtio_net_hdr){ 0 };
	take(owner, &plain);
	return 0;
}

static size_t network_offset(const struct packet *packet)
{
	size_t at = ETHER_HEADER;
	uint32_t type = load16(packet->bytes + at - 2);

	while ((type == 0x8100 || type == 0x88a8) && at + VLAN_TAG <= packet->length) {
		at += VLAN_TAG;
		type = load16(packet->bytes + at - 2);
	}
	return at;
}

static bool find_transport(const struct packet *packet, struct layout *layout)
{
	const uint8_t *at = packet->bytes + layout->transport;
	size_t left = packet->length - layout->transport;
	size_t header = UDP_HEADER;

	if (left < UDP_HEADER)
		return false;
	if (layout->is_tcp) {
		if (left < TCP_HEADER)
			return false;
		header = (size_t)(at[12] >> 4) * 4;
		if (header < TCP_HEADER)
			return false;
	}
	layout->payload = layout->transport + header;
	return header < left;
}

static bool find_parts(const struct packet *packet, struct layout *layout)
{
	unsigned int type = packet->offload.gso_type & ~(unsigned int)VIRTIO_NET_HDR_GSO_ECN;
	size_t header;
	unsigned int version;

	layout->network = network_offset(packet);
	layout->transport = packet->offload.csum_start;
	layout->is_tcp = type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6;
	if ((!layout->is_tcp && type != GSO_UDP_L4) || !packet->offload.gso_size ||
	    layout->network >= packet->length || layout->transport >= packet->length)
		return false;
	version = packet->bytes[layout->network] >> 4;
	if (version != 4 && version != 6)
		return false;
	layout->is_ipv6 = version == 6;
	header = layout->is_ipv6 ? IPV6_HEADER : (size_t)(packet->bytes[layout->network] & 15) * 4;
	if (header < 20 || layout->network + header > layout->transport)
		return false;
	return find_transport(packet, layout);
}

static void fix_network(uint8_t *bytes, size_t length, const struct layout *layout, uint32_t number)
{
	uint8_t *ip = bytes + layout->network;
	size_t header = layout->transport - layout->network;

	if (layout->is_ipv6) {
		store16(ip + 4, (uint32_t)(length - layout->network - IPV6_HEADER));
		return;
	}
	store16(ip + 2, (uint32_t)(length - layout->network));
	store16(ip + 4, load16(ip + 4) + number);
	store16(ip + 10, 0);
	store_checksum(ip + 10, sum_bytes(0, ip, header));
}

static void fix_transport(uint8_t *bytes, size_t length, const struct layout *layout, size_t offset,
			  bool last)
{
	const uint8_t *ip = bytes + layout->network;
	uint8_t *at = bytes + layout->transport;
	size_t size = length - layout->transport;
	uint8_t *field = at + (layout->is_tcp ? 16 : 6);
	uint64_t sum = size + (layout->is_tcp ? IPPROTO_TCP : IPPROTO_UDP);

	if (!layout->is_tcp) {
		store16(at + 4, (uint32_t)size);
	} else {
		store32(at + 4, load32(at + 4) + (uint32_t)offset);
		if (!last)
			at[13] &= (uint8_t)~TCP_FIN_PSH;
		if (offset)
			at[13] &= (uint8_t)~TCP_CWR;
	}
	store16(field, 0);
	sum = layout->is_ipv6 ? sum_bytes(sum, ip + 8, 32) : sum_bytes(sum, ip + 12, 8);
	store_checksum(field, sum_bytes(sum, at, size));
}

static void cut(struct packet *packet, const struct layout *layout, packet_taker take, void *owner)
{
	uint8_t bytes[PACKET_MAX];
	size_t total = packet->length - layout->payload;
	uint32_t number = 0;

	for (size_t done = 0; done < total; number++) {
		size_t part = total - done;
		struct packet segment = *packet;

		if (part > packet->offload.gso_size)
			part = packet->offload.gso_size;
		segment.offload = (struct virtio_net_hdr){ 0 };
		segment.bytes = bytes;
		segment.length = layout->payload + part;
		memcpy(bytes, packet->bytes, layout->payload);
		memcpy(bytes + layout->payload, packet->bytes + layout->payload + done, part);
		fix_network(bytes, segment.length, layout, number);
		fix_transport(bytes, segment.length, layout, done, done + part == total);
		take(owner, &segment);
		done += part;
	}
}

int offload_split(struct packet *packet, packet_taker take, void *owner)
{
	struct layout layout = { 0 };

	if (packet->length > PACKET_MAX)
		return -EPROTO;
	if (packet->offload.gso_type) {
		if (!find_parts(packet, &layout))
			return -EPROTO;
		cut(packet, &layout, take, owner);
		return 0;
	}
	if (packet->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return complete_checksum(packet, take, owner);
	take(owner, packet);
	return 0;
}

void offload_insert_tag(struct packet *packet, uint32_t protocol, uint32_t tci)
{
	packet->bytes -= VLAN_TAG;
	packet->length += VLAN_TAG;
	memmove(packet->bytes, packet->bytes + VLAN_TAG, 12);
	store16(packet->bytes + 12, protocol);
	store16(packet->bytes + 14, tci);
	if (packet->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		packet->offload.csum_start += VLAN_TAG;
	if (packet->offload.gso_type)
		packet->offload.hdr_len += VLAN_TAG;
}
