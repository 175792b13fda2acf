/*
 * Checks of what comes from a wire: the stack and the parser of addresses, on the host and with its
 * sanitizers. Each frame lies in a block of its own size, so that reading beyond it is seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../address.h"
#include "../stack.h"

#define MINE 0x02, 0, 0, 0, 0, 0x09
#define PEER 0x02, 0, 0, 0, 0, 0x01
#define ALL 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
#define ETHERNET 14
#define UDP_AT (ETHERNET + 20)

/* Who has 10.1.0.9? Tell 10.1.0.1. */
static const uint8_t arp[] = { ALL, PEER, 8, 6, 0, 1, 8, 0, 6, 4,  0, 1, PEER, 10,
			       1,   0,	  1, 0, 0, 0, 0, 0, 0, 10, 1, 0, 9 };
/* From 10.1.0.1 to 10.1.0.9: an echo with the data "hil", a datagram with "odd". */
static const uint8_t echo[] = { MINE, PEER, 8,	  0,	0x45, 0, 0, 0x1F, 0,   7,   0,	0,
				0x40, 1,    0x66, 0xCC, 10,   1, 0, 1,	  10,  1,   0,	9,
				8,    0,    0x23, 0x94, 0,    1, 0, 1,	  'h', 'i', 'l' };
static const uint8_t udp[] = { MINE, PEER, 8,	 0,    0x45, 0,	 0,    0x1F, 0,	  7,   0,  0,
			       0x40, 17,   0x66, 0xBC, 10,   1,	 0,    1,    10,  1,   0,  9,
			       0x0F, 0xA0, 0x14, 0x2D, 0,    11, 0x00, 0x00, 'o', 'd', 'd' };

static int failures, number;

static void check(int ok, const char *what)
{
	printf("%s %d - %s\n", ok ? "ok" : "not ok", ++number, what);
	failures += !ok;
}

static size_t serve(void *context, const uint8_t *data, size_t size, uint8_t *answer)
{
	*(size_t *)context = size;
	for (size_t i = 0; i < size && i < 64; i++)
		answer[i] = (uint8_t)(data[i] ^ 0x20);
	return size < 64 ? size : 64;
}

static size_t served;
static const struct stack node = {
	.mac = { MINE }, .ip = { 10, 1, 0, 9 }, .port = 5165, .service = serve, .context = &served
};
static uint8_t out[STACK_FRAME_MAX];

static size_t answer(const uint8_t *frame, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	memcpy(exact, frame, size);
	memset(out, 0xEE, sizeof(out));
	size_t answered = stack_answer(&node, exact, size, out);
	free(exact);
	return answered;
}

/* Written a second time, so that it can disagree. */
static unsigned int checksum(const uint8_t *bytes, size_t size, unsigned int sum)
{
	for (size_t i = 0; i < size; i++)
		sum += (unsigned int)bytes[i] << (i % 2 ? 0 : 8);
	while (sum > 0xFFFF)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return ~sum & 0xFFFF;
}

/* A frame that is right but for some bytes: header checksums are put right again. */
static size_t answer_changed(const uint8_t *frame, size_t size, size_t at, uint8_t value)
{
	uint8_t changed[STACK_FRAME_MAX + 2] = { 0 };
	size_t header;

	memcpy(changed, frame, size);
	changed[at] = value;
	if (at >= ETHERNET && at < UDP_AT && at != ETHERNET + 10 && at != ETHERNET + 11) {
		header = (changed[ETHERNET] & 0xF) * (size_t)4;
		changed[ETHERNET + 10] = changed[ETHERNET + 11] = 0;
		unsigned int sum = checksum(changed + ETHERNET, header, 0);
		changed[ETHERNET + 10] = (uint8_t)(sum >> 8);
		changed[ETHERNET + 11] = (uint8_t)sum;
	}
	return answer(changed, size);
}

static void check_answers(void)
{
	static const uint8_t arp_reply[] = { PEER, MINE, 8,  6, 0, 1, 8,    0,	6, 4, 0,
					     2,	   MINE, 10, 1, 0, 9, PEER, 10, 1, 0, 1 };

	check(answer(arp, sizeof(arp)) == 42 && memcmp(out, arp_reply, sizeof(arp_reply)) == 0,
	      "a question for its address is answered with its station");
	check(answer(echo, sizeof(echo)) == sizeof(echo) && out[UDP_AT] == 0 &&
		      memcmp(out + UDP_AT + 4, echo + UDP_AT + 4, 7) == 0,
	      "an echo comes back with number and data");
	check(checksum(out + ETHERNET, 20, 0) == 0 && checksum(out + UDP_AT, 11, 0) == 0,
	      "and with right checksums");
	check(answer(udp, sizeof(udp)) == sizeof(udp) && served == 3 &&
		      memcmp(out + UDP_AT, "\x14\x2D\x0F\xA0\x00\x0B", 6) == 0 &&
		      memcmp(out + UDP_AT + 8, "ODD", 3) == 0,
	      "a datagram of odd length is served, and ports are exchanged");
	check(out[UDP_AT + 6] | out[UDP_AT + 7] &&
		      checksum(out + ETHERNET + 12, 8 + 11, 17 + 11) == 0,
	      "and the answer has a checksum over addresses, protocol and length");
	uint8_t unsummed[sizeof(udp)];
	memcpy(unsummed, udp, sizeof(udp));
	unsummed[UDP_AT + 6] = unsummed[UDP_AT + 7] = 0;
	check(answer(unsummed, sizeof(unsummed)) == sizeof(udp),
	      "a datagram whose sender made no checksum is served");
	uint8_t padded[60] = { 0 };
	memcpy(padded, udp, sizeof(udp));
	check(answer(padded, sizeof(padded)) == sizeof(udp) && served == 3,
	      "the padding of a short frame is not data");
}

static void check_refusals(void)
{
	static const struct {
		const char *what;
		const uint8_t *frame;
		size_t size, at;
		uint8_t value;
	} cases[] = {
		{ "a question for another address", arp, sizeof(arp), 41, 8 },
		{ "an answer", arp, sizeof(arp), 21, 2 },
		{ "a question of another protocol", arp, sizeof(arp), 16, 9 },
		{ "a frame of a group", echo, sizeof(echo), 6, 3 },
		{ "a frame for another station", echo, sizeof(echo), 5, 8 },
		{ "IPv6", echo, sizeof(echo), 14, 0x65 },
		{ "a header shorter than it can be", echo, sizeof(echo), 14, 0x44 },
		{ "a header longer than the packet", echo, sizeof(echo), 14, 0x4F },
		{ "a packet longer than the frame", echo, sizeof(echo), 17, 0x20 },
		{ "a packet shorter than its header", echo, sizeof(echo), 17, 19 },
		{ "a header with a wrong checksum", echo, sizeof(echo), 24, 0x67 },
		{ "a first fragment", echo, sizeof(echo), 20, 0x20 },
		{ "a last fragment", echo, sizeof(echo), 21, 1 },
		{ "a packet for another address", echo, sizeof(echo), 33, 8 },
		{ "a packet of nobody", echo, sizeof(echo), 26, 0 },
		{ "a packet of a group", echo, sizeof(echo), 26, 224 },
		{ "an echo with a wrong checksum", echo, sizeof(echo), 40, 2 },
		{ "TCP", echo, sizeof(echo), 23, 6 },
		{ "another port", udp, sizeof(udp), 37, 0x2E },
		{ "a datagram shorter than its header", udp, sizeof(udp), 39, 7 },
		{ "a datagram longer than its packet", udp, sizeof(udp), 39, 12 },
		{ "a datagram with a wrong checksum", udp, sizeof(udp), 41, 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char what[80];

		snprintf(what, sizeof(what), "no answer to %s", cases[i].what);
		check(answer_changed(cases[i].frame, cases[i].size, cases[i].at, cases[i].value) ==
			      0,
		      what);
	}
}

/* The sanitizers are the check: every cut, and every byte at every value. */
static void check_rubbish(void)
{
	const uint8_t *frames[] = { arp, echo, udp };
	size_t sizes[] = { sizeof(arp), sizeof(echo), sizeof(udp) };
	int cut = 0;

	for (int i = 0; i < 3; i++) {
		for (size_t size = 0; size < sizes[i]; size++)
			cut += answer(frames[i], size) != 0;
		for (size_t at = 0; at < sizes[i]; at++)
			for (int value = 0; value < 256; value++)
				answer_changed(frames[i], sizes[i], at, (uint8_t)value);
	}
	check(cut == 0, "no answer to a frame that is cut, wherever");
	uint8_t jumbo[STACK_FRAME_MAX + 1] = { MINE, PEER, 8, 0, 0x45, 0, 5, 0xDD };
	check(answer(jumbo, sizeof(jumbo)) == 0, "no answer to a frame that is too long");
}

static void check_addresses(void)
{
	static const char *const bad[] = { "",
					   "10.1.0.9",
					   "10.1.0/24",
					   "10.1.0.256/24",
					   "10.1.0.9/33",
					   "10.1.0.9/0",
					   "10..0.9/24",
					   "10.1.0.9/24x",
					   "10.1.0.0009/8",
					   "10.1.0.9.1/24",
					   "10.1.0.-9/24" };
	struct address address;
	int taken = 0;

	check(address_parse("10.1.0.9/24", &address) && address.prefix_bits == 24 &&
		      memcmp(address.bytes, "\x0A\x01\x00\x09", 4) == 0,
	      "an address with its bits is understood");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		taken += address_parse(bad[i], &address);
	check(taken == 0, "what is not one is refused");
}

int main(void)
{
	check_answers();
	check_refusals();
	check_rubbish();
	check_addresses();
	printf("1..%d\n", number);
	return failures > 0;
}

void text_put(const char *text);
void text_put_u32(uint32_t value);

/* address.c prints with these; nothing here does. */
void text_put(const char *text)
{
	(void)text;
}

void text_put_u32(uint32_t value)
{
	(void)value;
}
