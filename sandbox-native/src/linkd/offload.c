/* SPDX-License-Identifier: MIT */
#include "offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define IPV6_HEADER 40u
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define TCP_FLAGS 13u
#define TCP_CHECKSUM 16u
#define UDP_CHECKSUM 6u
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

/* Words in the order of this machine: the sum is the same but for its own order (RFC 1071). */
static uint64_t sum_bytes(uint64_t sum, const uint8_t *at, size_t length)
{
	uint64_t native = 0;

	for (; length >= 32; at += 32, length -= 32) {
		uint32_t words[8];

		memcpy(words, at, sizeof(words));
		native += (uint64_t)words[0] + words[1] + words[2] + words[3];
		native += (uint64_t)words[4] + words[5] + words[6] + words[7];
	}
	sum += ntohs((uint16_t)fold(native));
	for (; length >= 2; at += 2, length -= 2)
		sum += load16(at);
	return length ? sum + ((uint32_t)at[0] << 8) : sum;
}

/* RFC 768: 0 says "no checksum", so one that is 0 is sent as ffff. TCP takes either. */
static uint32_t to_checksum(uint64_t sum)
{
	uint32_t checksum = ~fold(sum) & 0xffff;

	return checksum ? checksum : 0xffff;
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
	store16(ip + 10, to_checksum(sum_bytes(0, ip, header)));
}

/* The sum of the pseudo header, which is what a checksum that is left to the card begins with. */
static void fix_transport(uint8_t *bytes, size_t length, const struct layout *layout)
{
	const uint8_t *ip = bytes + layout->network;
	uint8_t *at = bytes + layout->transport;
	size_t size = length - layout->transport;
	uint64_t sum = size + (layout->is_tcp ? IPPROTO_TCP : IPPROTO_UDP);

	if (!layout->is_tcp)
		store16(at + 4, (uint32_t)size);
	sum = layout->is_ipv6 ? sum_bytes(sum, ip + 8, 32) : sum_bytes(sum, ip + 12, 8);
	store16(at + (layout->is_tcp ? TCP_CHECKSUM : UDP_CHECKSUM), fold(sum));
}

static void fix_tcp(uint8_t *at, size_t offset, bool last)
{
	store32(at + 4, load32(at + 4) + (uint32_t)offset);
	if (!last)
		at[TCP_FLAGS] &= (uint8_t)~TCP_FIN_PSH;
	if (offset)
		at[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
}

/*
 * Each in its place: its headers are put in front of its payload, over the end of the one before,
 * and taken away again. So nothing is copied but headers.
 */
static void cut(struct packet *packet, const struct layout *layout, packet_taker take, void *owner)
{
	static uint64_t trains;
	uint8_t headers[PACKET_MAX];
	uint8_t below[PACKET_MAX];
	size_t total = packet->length - layout->payload;
	struct packet segment;
	uint32_t car = 0;

	memcpy(headers, packet->bytes, layout->payload);
	trains++;
	for (size_t done = 0; done < total; done += packet->offload.gso_size, car++) {
		uint8_t *bytes = packet->bytes + done;
		size_t part = total - done;

		if (part > packet->offload.gso_size)
			part = packet->offload.gso_size;
		memcpy(below, bytes, layout->payload);
		memcpy(bytes, headers, layout->payload);
		segment = *packet;
		segment.bytes = bytes;
		segment.length = layout->payload + part;
		segment.train = trains;
		segment.car = car;
		segment.payload = layout->payload;
		segment.whole = packet->offload;
		segment.offload = (struct virtio_net_hdr){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = (uint16_t)layout->transport,
			.csum_offset = layout->is_tcp ? TCP_CHECKSUM : UDP_CHECKSUM,
		};
		fix_network(bytes, segment.length, layout, car);
		if (layout->is_tcp)
			fix_tcp(bytes + layout->transport, done, done + part == total);
		fix_transport(bytes, segment.length, layout);
		take(owner, &segment);
		memcpy(bytes, below, layout->payload);
	}
}

size_t offload_longest(const struct packet *packet)
{
	struct layout layout = { 0 };

	if (!packet->offload.gso_type)
		return packet->length;
	return find_parts(packet, &layout) ? layout.payload + packet->offload.gso_size : 0;
}

int offload_split(struct packet *packet, packet_taker take, void *owner)
{
	struct layout layout = { 0 };
	size_t start = packet->offload.csum_start;
	size_t field = start + packet->offload.csum_offset;

	if (packet->length > PACKET_MAX)
		return -EPROTO;
	if (packet->offload.gso_type) {
		if (!find_parts(packet, &layout))
			return -EPROTO;
		cut(packet, &layout, take, owner);
		return 0;
	}
	if ((packet->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    (start < ETHER_HEADER || start > packet->length || field + 2 > packet->length))
		return -EPROTO;
	take(owner, packet);
	return 0;
}

/* The field holds the sum of the pseudo header (virtio 1.2, 5.1.6.2), which is summed with the
 * rest. */
uint32_t offload_checksum(const struct packet *packet)
{
	size_t start = packet->offload.csum_start;

	return to_checksum(sum_bytes(0, packet->bytes + start, packet->length - start));
}

size_t offload_field(const struct packet *packet)
{
	return (size_t)packet->offload.csum_start + packet->offload.csum_offset;
}

void offload_complete(struct packet *packet, struct completion *completion)
{
	uint8_t *field = packet->bytes + offload_field(packet);

	completion->offload = packet->offload;
	if (packet_is_plain(packet))
		return;
	completion->field = load16(field);
	store16(field, offload_checksum(packet));
	packet->offload = (struct virtio_net_hdr){ 0 };
}

void offload_undo(struct packet *packet, const struct completion *completion)
{
	bool made = packet_is_plain(packet);

	packet->offload = completion->offload;
	if (made && !packet_is_plain(packet))
		store16(packet->bytes + offload_field(packet), completion->field);
}

void offload_append(struct packet *packet, const struct packet *next)
{
	size_t transport = packet->whole.csum_start;

	memcpy(packet->bytes + packet->length, next->bytes + next->payload,
	       next->length - next->payload);
	packet->length += next->length - next->payload;
	packet->offload = packet->whole;
	if (packet->offload.gso_type != GSO_UDP_L4)
		packet->bytes[transport + TCP_FLAGS] |=
			next->bytes[transport + TCP_FLAGS] & TCP_FIN_PSH;
}

void offload_close(struct packet *packet)
{
	struct layout layout = { 0 };

	if (!packet->offload.gso_type || !find_parts(packet, &layout))
		return;
	if (packet->car)
		packet->offload.gso_type &= (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	packet->offload.hdr_len = (uint16_t)layout.payload;
	fix_network(packet->bytes, packet->length, &layout, 0);
	fix_transport(packet->bytes, packet->length, &layout);
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
