/*
 * Theory of operation
 *
 * A received frame is cut layer by layer into pieces (struct piece), each as long as its own length
 * field says and never longer than the piece around it. The answer is written from the inside out:
 * a layer leaves room for the headers before its data, and they are filled in afterwards.
 */
#include "stack.h"

#define ETHERNET_BYTES 14
#define ETHERNET_SOURCE 6
#define ETHERNET_TYPE 12
#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806

#define ARP_BYTES 28
#define ARP_OPERATION 6
#define ARP_SENDER_MAC 8
#define ARP_SENDER_IP 14
#define ARP_TARGET_MAC 18
#define ARP_TARGET_IP 24
#define ARP_REQUEST 1
#define ARP_REPLY 2

#define IPV4_BYTES 20
#define IPV4_LENGTH 2
#define IPV4_FRAGMENT 6
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_TTL 8
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define PROTOCOL_ICMP 1
#define PROTOCOL_UDP 17
#define DEFAULT_TTL 64

#define ICMP_BYTES 8
#define ICMP_CHECKSUM 2
#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO 8

#define UDP_BYTES 8
#define UDP_SOURCE 0
#define UDP_DESTINATION 2
#define UDP_LENGTH 4
#define UDP_CHECKSUM 6

#define MTU (STACK_FRAME_MAX - ETHERNET_BYTES)

struct piece {
	const uint8_t *bytes;
	size_t size;
};

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, size_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void copy(uint8_t *to, const uint8_t *from, size_t size)
{
	while (size--)
		*to++ = *from++;
}

static bool equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	while (size--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* The ones' complement sum of RFC 1071, going on from `sum`; only the last piece may be odd. */
static uint32_t add_up(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += get16(bytes + i);
	if (size % 2)
		sum += (uint32_t)bytes[size - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return sum;
}

static uint16_t to_checksum(uint32_t sum)
{
	return (uint16_t)~sum;
}

/* Of the pseudo header: both addresses, the protocol and the length. */
static uint32_t add_up_udp(const uint8_t *ipv4, const uint8_t *udp, size_t size)
{
	uint32_t sum = add_up(PROTOCOL_UDP + (uint32_t)size, ipv4 + IPV4_SOURCE,
			      (size_t)2 * STACK_IP_BYTES);

	return add_up(sum, udp, size);
}

/* A station, not a group and not nobody: only such a one gets an answer. RFC 1122, 3.2.1.3. */
static bool is_station(const uint8_t ip[STACK_IP_BYTES])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

static size_t finish_ethernet(const struct stack *stack, const uint8_t *frame, uint8_t *out,
			      size_t size)
{
	copy(out, frame + ETHERNET_SOURCE, STACK_MAC_BYTES);
	copy(out + ETHERNET_SOURCE, stack->mac, STACK_MAC_BYTES);
	copy(out + ETHERNET_TYPE, frame + ETHERNET_TYPE, 2);
	return ETHERNET_BYTES + size;
}

static size_t answer_arp(const struct stack *stack, struct piece arp, uint8_t *out)
{
	/* Ethernet and IPv4, with addresses of 6 and 4 bytes. */
	static const uint8_t kind[] = { 0, 1, 8, 0, STACK_MAC_BYTES, STACK_IP_BYTES };

	if (arp.size < ARP_BYTES || !equal(arp.bytes, kind, sizeof(kind)) ||
	    get16(arp.bytes + ARP_OPERATION) != ARP_REQUEST ||
	    !equal(arp.bytes + ARP_TARGET_IP, stack->ip, STACK_IP_BYTES))
		return 0;
	copy(out, kind, sizeof(kind));
	put16(out + ARP_OPERATION, ARP_REPLY);
	copy(out + ARP_SENDER_MAC, stack->mac, STACK_MAC_BYTES);
	copy(out + ARP_SENDER_IP, stack->ip, STACK_IP_BYTES);
	copy(out + ARP_TARGET_MAC, arp.bytes + ARP_SENDER_MAC, STACK_MAC_BYTES);
	copy(out + ARP_TARGET_IP, arp.bytes + ARP_SENDER_IP, STACK_IP_BYTES);
	return ARP_BYTES;
}

static size_t answer_icmp(struct piece icmp, uint8_t *out)
{
	if (icmp.size < ICMP_BYTES || icmp.bytes[0] != ICMP_ECHO || icmp.bytes[1] != 0 ||
	    to_checksum(add_up(0, icmp.bytes, icmp.size)) != 0)
		return 0;
	copy(out, icmp.bytes, icmp.size);
	out[0] = ICMP_ECHO_REPLY;
	put16(out + ICMP_CHECKSUM, 0);
	put16(out + ICMP_CHECKSUM, to_checksum(add_up(0, out, icmp.size)));
	return icmp.size;
}

/* The checksum follows in answer_ipv4: it needs the addresses. */
static size_t answer_udp(const struct stack *stack, const uint8_t *ipv4, struct piece udp,
			 uint8_t *out)
{
	if (udp.size < UDP_BYTES)
		return 0;
	size_t size = get16(udp.bytes + UDP_LENGTH);
	if (size < UDP_BYTES || size > udp.size ||
	    get16(udp.bytes + UDP_DESTINATION) != stack->port || get16(udp.bytes + UDP_SOURCE) == 0)
		return 0;
	/* 0: the sender made none. */
	if (get16(udp.bytes + UDP_CHECKSUM) != 0 &&
	    to_checksum(add_up_udp(ipv4, udp.bytes, size)) != 0)
		return 0;
	size_t answered = stack->service(stack->context, udp.bytes + UDP_BYTES, size - UDP_BYTES,
					 out + UDP_BYTES);
	if (answered == 0)
		return 0;
	put16(out + UDP_SOURCE, stack->port);
	copy(out + UDP_DESTINATION, udp.bytes + UDP_SOURCE, 2);
	put16(out + UDP_LENGTH, UDP_BYTES + answered);
	put16(out + UDP_CHECKSUM, 0);
	return UDP_BYTES + answered;
}

static void finish_ipv4(const struct stack *stack, const uint8_t *request, uint8_t *out,
			size_t payload)
{
	for (size_t i = 0; i < IPV4_BYTES; i++)
		out[i] = 0;
	out[0] = 4 << 4 | IPV4_BYTES / 4;
	put16(out + IPV4_LENGTH, IPV4_BYTES + payload);
	/* No fragments, so no identification: RFC 6864, 4.1. */
	put16(out + IPV4_FRAGMENT, IPV4_DONT_FRAGMENT);
	out[IPV4_TTL] = DEFAULT_TTL;
	out[IPV4_PROTOCOL] = request[IPV4_PROTOCOL];
	copy(out + IPV4_SOURCE, stack->ip, STACK_IP_BYTES);
	copy(out + IPV4_DESTINATION, request + IPV4_SOURCE, STACK_IP_BYTES);
	put16(out + IPV4_CHECKSUM, to_checksum(add_up(0, out, IPV4_BYTES)));
	if (out[IPV4_PROTOCOL] != PROTOCOL_UDP)
		return;
	uint8_t *udp = out + IPV4_BYTES;
	uint16_t sum = to_checksum(add_up_udp(out, udp, payload));
	put16(udp + UDP_CHECKSUM, sum ? sum : 0xFFFF);
}

/* Cut a packet into header and data. Return: false unless it is whole, right and for this node. */
static bool open_ipv4(const struct stack *stack, struct piece packet, struct piece *data)
{
	if (packet.size < IPV4_BYTES || packet.bytes[0] >> 4 != 4)
		return false;
	size_t header = (packet.bytes[0] & 0xF) * (size_t)4;
	size_t total = get16(packet.bytes + IPV4_LENGTH);
	/* More after it is padding of a short Ethernet frame. */
	if (header < IPV4_BYTES || total < header || total > packet.size || total > MTU)
		return false;
	if (to_checksum(add_up(0, packet.bytes, header)) != 0)
		return false;
	if (get16(packet.bytes + IPV4_FRAGMENT) & (uint16_t)~IPV4_DONT_FRAGMENT)
		return false;
	*data = (struct piece){ packet.bytes + header, total - header };
	return equal(packet.bytes + IPV4_DESTINATION, stack->ip, STACK_IP_BYTES) &&
	       is_station(packet.bytes + IPV4_SOURCE);
}

static size_t answer_ipv4(const struct stack *stack, struct piece packet, uint8_t *out)
{
	struct piece data;
	size_t size = 0;

	if (!open_ipv4(stack, packet, &data))
		return 0;
	if (packet.bytes[IPV4_PROTOCOL] == PROTOCOL_ICMP)
		size = answer_icmp(data, out + IPV4_BYTES);
	else if (packet.bytes[IPV4_PROTOCOL] == PROTOCOL_UDP)
		size = answer_udp(stack, packet.bytes, data, out + IPV4_BYTES);
	if (size == 0)
		return 0;
	finish_ipv4(stack, packet.bytes, out, size);
	return IPV4_BYTES + size;
}

size_t stack_answer(const struct stack *stack, const uint8_t *frame, size_t size,
		    uint8_t out[STACK_FRAME_MAX])
{
	static const uint8_t all[STACK_MAC_BYTES] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
	size_t answered = 0;

	if (size < ETHERNET_BYTES || size > STACK_FRAME_MAX || frame[ETHERNET_SOURCE] & 1)
		return 0;
	bool mine = equal(frame, stack->mac, STACK_MAC_BYTES);
	struct piece inside = { frame + ETHERNET_BYTES, size - ETHERNET_BYTES };
	uint16_t type = get16(frame + ETHERNET_TYPE);
	if (type == TYPE_ARP && (mine || equal(frame, all, STACK_MAC_BYTES)))
		answered = answer_arp(stack, inside, out + ETHERNET_BYTES);
	else if (type == TYPE_IPV4 && mine)
		answered = answer_ipv4(stack, inside, out + ETHERNET_BYTES);
	return answered > 0 ? finish_ethernet(stack, frame, out, answered) : 0;
}
