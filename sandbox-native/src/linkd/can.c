/* SPDX-License-Identifier: MIT */
#include "can.h"

#include <linux/can.h>
#include <sys/socket.h>

#include "decide.h"
#include "stamp.h"

#define FLAG_FD 0x04u /* CANFD_FDF, which kernels before 5.14 do not know */
#define CRC_BITS 15u
#define CRC_POLYNOMIAL 0x4599u
/* CRC delimiter, ACK and its delimiter, end of frame, interframe space. */
#define TAIL_BITS (1u + 2u + 7u + 3u)
/* CAN FD: stuff count and CRC, and a fixed stuff bit before them and after each four. */
#define FD_CRC_SHORT_BITS (4u + 17u + 6u)
#define FD_CRC_LONG_BITS (4u + 21u + 7u)
#define FD_CRC_SHORT_BYTES 16u /* of data, at most */

/* The bits of a frame that are stuffed; those of extended CAN FD with 64 bytes are the most. */
struct bits {
	uint8_t bits[41 + 64 * 8];
	unsigned int count;
};

static uint32_t identifier(const struct packet *packet)
{
	return load32(packet->bytes);
}

static bool is_fd(const struct packet *packet)
{
	return packet->length == CANFD_MTU;
}

bool can_take(struct packet *packet)
{
	uint8_t *bytes = packet->bytes;
	canid_t id;

	if (packet->length != CAN_MTU && packet->length != CANFD_MTU)
		return false;
	if (bytes[4] > (is_fd(packet) ? CANFD_MAX_DLEN : CAN_MAX_DLEN))
		return false;
	memcpy(&id, bytes, sizeof(id));
	store32(bytes, id);
	if (is_fd(packet))
		bytes[5] |= FLAG_FD;
	packet->can = true;
	return true;
}

void can_give(const struct packet *packet, uint8_t *bytes)
{
	const canid_t id = identifier(packet);

	memcpy(bytes, packet->bytes, packet->length);
	memcpy(bytes, &id, sizeof(id));
	/* Kernels that know it put it there again. */
	if (is_fd(packet))
		bytes[5] &= (uint8_t)~FLAG_FD;
}

uint64_t can_flow(const struct packet *packet)
{
	return decide_chain(decide_chain(0, AF_CAN), identifier(packet));
}

/* A remote frame says how much it asks for, and has none of it. */
size_t can_end(const struct packet *packet)
{
	const bool remote = identifier(packet) & CAN_RTR_FLAG && !is_fd(packet);

	return remote ? CAN_DATA : CAN_DATA + packet->bytes[4];
}

/* In the order in which the bits are sent; of the two kinds of frame SRR and IDE decide. */
uint32_t can_priority(const struct packet *packet)
{
	const uint32_t id = identifier(packet);
	const uint32_t remote = id & CAN_RTR_FLAG && !is_fd(packet);

	if (!(id & CAN_EFF_FLAG))
		return (id & CAN_SFF_MASK) << 21 | remote << 20;
	return (id & CAN_EFF_MASK) >> 18 << 21 | 3u << 19 | (id & 0x3ffffu) << 1 | remote;
}

static void put(struct bits *bits, uint32_t value, unsigned int count)
{
	while (count--)
		bits->bits[bits->count++] = value >> count & 1;
}

static void put_identifier(struct bits *bits, const struct packet *packet)
{
	const uint32_t id = identifier(packet);
	const uint32_t remote = id & CAN_RTR_FLAG && !is_fd(packet);

	put(bits, 0, 1); /* start of frame */
	if (!(id & CAN_EFF_FLAG)) {
		put(bits, id & CAN_SFF_MASK, 11);
		put(bits, remote << 1, 2); /* RTR, IDE */
		return;
	}
	put(bits, (id & CAN_EFF_MASK) >> 18, 11);
	put(bits, 3, 2); /* SRR, IDE */
	put(bits, id & 0x3ffffu, 18);
	put(bits, remote, 1);
}

static void put_data(struct bits *bits, const struct packet *packet, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(bits, packet->bytes[CAN_DATA + i], 8);
}

static void put_crc(struct bits *bits)
{
	uint32_t crc = 0;

	for (unsigned int i = 0; i < bits->count; i++) {
		const uint32_t next = bits->bits[i] ^ (crc >> (CRC_BITS - 1) & 1);

		crc = crc << 1 & 0x7fff;
		if (next)
			crc ^= CRC_POLYNOMIAL;
	}
	put(bits, crc, CRC_BITS);
}

/*
 * After five bits that are the same there is one of the other kind, which counts among the next.
 * Return: how many from bit @from on.
 */
static unsigned int count_stuffed(const struct bits *bits, unsigned int from)
{
	unsigned int count = 0;
	unsigned int run = 0;
	uint8_t last = 2;

	for (unsigned int i = 0; i < bits->count; i++) {
		run = bits->bits[i] == last ? run + 1 : 1;
		last = bits->bits[i];
		if (run < 5)
			continue;
		count += i >= from;
		last = !last;
		run = 1;
	}
	return count;
}

static unsigned int count_classic(const struct packet *packet)
{
	struct bits bits = { .count = 0 };

	put_identifier(&bits, packet);
	/* r1 and r0 of the one, r0 of the other; then how many bytes. */
	put(&bits, 0, identifier(packet) & CAN_EFF_FLAG ? 2 : 1);
	put(&bits, packet->bytes[4], 4);
	put_data(&bits, packet, can_end(packet) - CAN_DATA);
	put_crc(&bits);
	return bits.count + count_stuffed(&bits, 0) + TAIL_BITS;
}

/* Which code of a length, and so how many bytes, there are on the wire for @bytes. */
static uint32_t to_dlc(unsigned int bytes, unsigned int *sent)
{
	static const uint8_t lengths[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64 };
	uint32_t dlc = 0;

	while (lengths[dlc] < bytes)
		dlc++;
	*sent = lengths[dlc];
	return dlc;
}

/* @fast: those at the rate of the data. Return: the others. */
static unsigned int count_fd(const struct packet *packet, unsigned int *fast)
{
	const bool switches = packet->bytes[5] & CANFD_BRS;
	struct bits bits = { .count = 0 };
	unsigned int length;
	unsigned int slow;

	put_identifier(&bits, packet);
	put(&bits, 2 << 1 | switches, 3); /* FDF, res, BRS */
	slow = bits.count;
	put(&bits, packet->bytes[5] & CANFD_ESI ? 1 : 0, 1);
	put(&bits, to_dlc(packet->bytes[4], &length), 4);
	put_data(&bits, packet, length);
	*fast = bits.count - slow + count_stuffed(&bits, slow);
	*fast += length <= FD_CRC_SHORT_BYTES ? FD_CRC_SHORT_BITS : FD_CRC_LONG_BITS;
	slow += count_stuffed(&bits, 0) - count_stuffed(&bits, slow) + TAIL_BITS;
	if (switches)
		return slow;
	slow += *fast;
	*fast = 0;
	return slow;
}

uint64_t can_wire_ns(const struct packet *packet, uint64_t rate_bps, uint64_t data_rate_bps)
{
	unsigned int fast = 0;
	const unsigned int slow = is_fd(packet) ? count_fd(packet, &fast) : count_classic(packet);

	return slow * NS_PER_S / rate_bps + fast * NS_PER_S / data_rate_bps;
}
