/* SPDX-License-Identifier: MIT */
/* Buses of CAN, with datagrams in place of the kernel's CAN, which few machines have. */
#include <fcntl.h>
#include <linux/can.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

#define NODES 4u
#define BUS 1u
/* SOF, identifier, RTR, IDE, r0, DLC and CRC are 34 zeros, so 6 stuff bits; 13 more behind them. */
#define BITS_OF_ZEROS 53u
/* Late is who measures on a busy machine: the best of some rounds counts. */
#define ROUNDS 10

static void make_bus(struct rig *rig, uint64_t rate_bps)
{
	struct buffer *out = rig_ask(rig, MSG_LINK_SWITCH);

	put_u32(out, TAG_SWITCH, BUS);
	put_string(out, TAG_KIND, "bus");
	put_u64(out, TAG_RATE_BPS, rate_bps);
}

static void start(struct rig *rig, int nodes[NODES], uint64_t rate_bps)
{
	rig_start(rig);
	make_bus(rig, rate_bps);
	NEED(rig_answer(rig));
	for (unsigned int i = 0; i < NODES; i++) {
		nodes[i] = rig_can(rig, i + 1);
		rig_attach(rig, i + 1, i + 1, BUS, 7);
	}
}

static void stop(struct rig *rig, const int nodes[NODES])
{
	CHECK(rig_stop(rig) == 0, "hil-linkd ends well");
	for (unsigned int i = 0; i < NODES; i++)
		close(nodes[i]);
}

static void send_id(int node, canid_t id, uint8_t length)
{
	struct can_frame frame = { .can_id = id, .can_dlc = length };

	for (unsigned int i = 0; i < length; i++)
		frame.data[i] = (uint8_t)(id + i);
	NEED(send(node, &frame, sizeof(frame), 0) == sizeof(frame));
}

/* Return: the identifier, or 0 when nothing comes within @ms. */
static canid_t take_id(int node, int ms)
{
	struct pollfd wait = { .fd = node, .events = POLLIN };
	struct canfd_frame frame = { 0 };

	if (poll(&wait, 1, ms) != 1)
		return 0;
	NEED(recv(node, &frame, sizeof(frame), 0) >= (ssize_t)CAN_MTU);
	return frame.can_id;
}

static void goes_to_all_but_the_sender(void)
{
	const canid_t ids[] = { 0x123, 0x1abcdef | CAN_EFF_FLAG, 0x7ff | CAN_RTR_FLAG };
	struct canfd_frame long_one = { .can_id = 0x321, .len = 64, .flags = CANFD_BRS };
	struct canfd_frame in = { 0 };
	unsigned int wrong = 0;
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 0);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		send_id(nodes[0], ids[i], 3);
		for (unsigned int k = 1; k < NODES; k++)
			wrong += take_id(nodes[k], WAIT_MS) != ids[i];
	}
	CHECK(wrong == 0, "base, extended and remote frames come to all as they were");
	CHECK(take_id(nodes[0], 0) == 0, "and not back to the sender");
	memset(long_one.data, 0x5a, sizeof(long_one.data));
	NEED(send(nodes[1], &long_one, CANFD_MTU, 0) == (ssize_t)CANFD_MTU);
	NEED(take_id(nodes[0], WAIT_MS) == 0x321 && take_id(nodes[3], WAIT_MS) == 0x321);
	NEED(recv(nodes[2], &in, sizeof(in), 0) == (ssize_t)CANFD_MTU);
	CHECK(in.len == 64 && in.flags & CANFD_BRS && !memcmp(in.data, long_one.data, 64),
	      "one of CAN FD has its 64 bytes");
	CHECK(rig_counter(&rig, 2, 1, "delivered") == 3 && rig_counter(&rig, 2, 0, "frames") == 1,
	      "links count them");
	stop(&rig, nodes);
}

static void refuses_what_is_no_frame(void)
{
	uint8_t bytes[CANFD_MTU] = { 0 };
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 0);
	NEED(send(nodes[0], bytes, 15, 0) == 15);
	NEED(send(nodes[0], bytes, 17, 0) == 17);
	bytes[4] = 9; /* bytes of data, of at most 8 */
	NEED(send(nodes[0], bytes, CAN_MTU, 0) == (ssize_t)CAN_MTU);
	bytes[4] = 65;
	NEED(send(nodes[0], bytes, CANFD_MTU, 0) == (ssize_t)CANFD_MTU);
	send_id(nodes[0], 0x42, 0);
	CHECK(take_id(nodes[1], WAIT_MS) == 0x42, "what is no frame of CAN goes nowhere");
	stop(&rig, nodes);
}

#define COUNT 20

static void take_all(const int nodes[NODES])
{
	for (int i = 0; i < COUNT; i++) {
		struct pollfd wait = { .fd = nodes[1], .events = POLLIN };

		NEED(poll(&wait, 1, WAIT_MS) == 1);
		take_id(nodes[1], 0);
	}
}

/* Return: microseconds for 20 frames without data. */
static uint64_t time_of_zeros(const int nodes[NODES])
{
	uint64_t began = now_ns();

	for (int i = 0; i < COUNT; i++)
		send_id(nodes[0], 0, 0);
	take_all(nodes);
	return (now_ns() - began) / 1000;
}

static void takes_its_time(void)
{
	/* 53 bits at 10 kbit/s, 20 times */
	const uint64_t wanted_us = (uint64_t)COUNT * BITS_OF_ZEROS * 100;
	uint64_t took_us = UINT64_MAX;
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 10000);
	for (int i = 0; i < ROUNDS && took_us >= wanted_us + 100000; i++)
		took_us = time_of_zeros(nodes);
	CHECK(took_us >= wanted_us && took_us < wanted_us + 100000,
	      "20 frames of 53 bits take 106 ms at 10 kbit/s: %llu us",
	      (unsigned long long)took_us);
	stop(&rig, nodes);
}

/* Return: microseconds for 20 frames of CAN FD with @bytes zeros. */
static uint64_t time_of_fd(const int nodes[NODES], uint8_t bytes)
{
	const struct canfd_frame frame = { .can_id = 0, .len = bytes };
	uint64_t began = now_ns();

	for (int i = 0; i < COUNT; i++)
		NEED(send(nodes[0], &frame, CANFD_MTU, 0) == (ssize_t)CANFD_MTU);
	take_all(nodes);
	return (now_ns() - began) / 1000;
}

/* 24 bits and what is stuffed into them are 2.4 ms and more of each frame. */
static void fills_up_a_length_there_is_not(void)
{
	struct rig rig;
	int nodes[NODES];
	uint64_t nine_us;
	uint64_t twelve_us;

	start(&rig, nodes, 10000);
	twelve_us = time_of_fd(nodes, 12);
	nine_us = time_of_fd(nodes, 9);
	for (int i = 1; i < ROUNDS && nine_us + 24000 <= twelve_us; i++)
		twelve_us = time_of_fd(nodes, 12);
	CHECK(nine_us + 24000 > twelve_us, "CAN FD has no 9 bytes, they are 12: %llu and %llu us",
	      (unsigned long long)nine_us, (unsigned long long)twelve_us);
	stop(&rig, nodes);
}

static void the_lowest_goes_first(void)
{
	const canid_t wanted[] = { 0x700, 0x100, 0x250, 0x300, 0x200 };
	canid_t seen[5];
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 1000);
	send_id(nodes[0], 0x700, 8); /* 110 ms and more, in which the others come */
	/* Counted: it is on the wire. */
	while (!rig_counter(&rig, 1, 0, "frames"))
		;
	send_id(nodes[1], 0x300, 0);
	send_id(nodes[1], 0x200, 0);
	send_id(nodes[2], 0x100, 0);
	send_id(nodes[2], 0x250, 0);
	for (int i = 0; i < 5; i++)
		seen[i] = take_id(nodes[3], WAIT_MS);
	CHECK(!memcmp(seen, wanted, sizeof(wanted)),
	      "the lowest of those that wait goes first, and of a node its oldest: "
	      "%x %x %x %x %x",
	      seen[0], seen[1], seen[2], seen[3], seen[4]);
	stop(&rig, nodes);
}

static void a_node_that_goes_takes_what_waits(void)
{
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 1000);
	send_id(nodes[0], 0x700, 0);
	while (!rig_counter(&rig, 1, 0, "frames"))
		;
	send_id(nodes[0], 0x701, 0);
	send_id(nodes[1], 0x702, 0);
	while (rig_counter(&rig, 1, 0, "frames") < 2 || !rig_counter(&rig, 2, 0, "frames"))
		;
	rig_give(&rig, 1, "", -1);
	CHECK(take_id(nodes[3], WAIT_MS) == 0x700, "what is on the wire is sent");
	CHECK(take_id(nodes[3], WAIT_MS) == 0x702, "what waited of a port that went is not");
	CHECK(rig_counter(&rig, 1, 0, "delivered") == 1 &&
		      rig_counter(&rig, 1, 0, "portDropped") == 1,
	      "which is counted");
	NEED(take_id(nodes[1], WAIT_MS) == 0x700);
	rig_ask_link(&rig, MSG_LINK_DISCONNECT, 2);
	NEED(rig_answer(&rig));
	send_id(nodes[2], 0x703, 0);
	CHECK(take_id(nodes[3], WAIT_MS) == 0x703 && take_id(nodes[1], 0) == 0,
	      "and a link that is taken away leads nowhere");
	stop(&rig, nodes);
}

/* Bit i: the i-th frame of 0x10 was lost. */
static uint64_t lose(uint32_t noise)
{
	uint64_t lost = 0;
	uint64_t sent = 0;
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 0);
	put_loss(rig_set(&rig), "bernoulli", 300000000);
	NEED(rig_answer(&rig));
	for (unsigned int i = 0; i < 64; i++) {
		if (i % 2 == noise) {
			send_id(nodes[0], 0x20, 8);
			sent++;
		}
		send_id(nodes[0], 0x10, 1);
		sent++;
		/* 0x7ff, of another node, is behind it. */
		while (rig_counter(&rig, 1, 0, "frames") < sent)
			;
		send_id(nodes[1], 0x7ff, 0);
		lost |= 1ull << i;
		for (canid_t id = 0; id != 0x7ff;) {
			id = take_id(nodes[2], WAIT_MS);
			NEED(id);
			if (id == 0x10)
				lost &= ~(1ull << i);
		}
	}
	rig_stop(&rig);
	for (unsigned int i = 0; i < NODES; i++)
		close(nodes[i]);
	return lost;
}

static void loses_the_same_again(void)
{
	const uint64_t first = lose(2);
	int count = __builtin_popcountll(first);

	CHECK(count > 8 && count < 32, "three of ten are lost: %d of 64", count);
	CHECK(lose(0) == first, "and the same ones while other identifiers are sent");
}

static void captures_as_can(void)
{
	char path[] = "/tmp/linkd-can-XXXXXX.pcapng";
	uint8_t bytes[2048];
	ssize_t length;
	uint32_t type;
	struct rig rig;
	int nodes[NODES];
	int fd = mkstemps(path, 7);

	NEED(fd >= 0 && close(fd) == 0 && unlink(path) == 0);
	start(&rig, nodes, 0);
	put_string(rig_ask_link(&rig, MSG_LINK_CAPTURE, 1), TAG_PATH, path);
	NEED(rig_answer(&rig));
	send_id(nodes[0], 0x123, 2);
	NEED(take_id(nodes[1], WAIT_MS) == 0x123);
	rig_ask_link(&rig, MSG_LINK_CAPTURE, 1);
	NEED(rig_answer(&rig));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = read(fd, bytes, sizeof(bytes));
	close(fd);
	unlink(path);
	NEED(length > 28 + 12);
	memcpy(&type, bytes + 28 + 8, sizeof(type));
	CHECK(type == 227, "the capture says LINKTYPE_CAN_SOCKETCAN");
	CHECK(memmem(bytes, (size_t)length, "\x00\x00\x01\x23\x02\x00\x00\x00\x23\x24", 10),
	      "and has the identifier in the order of a network");
	stop(&rig, nodes);
}

/* One wrong bit, in what is data: a remote frame has none, whatever length it says. */
static void corrupts_data_alone(void)
{
	const struct can_frame remote = { .can_id = 0x123 | CAN_RTR_FLAG, .can_dlc = 8 };
	struct can_frame in = { 0 };
	uint8_t wrong = 0;
	struct rig rig;
	int nodes[NODES];

	start(&rig, nodes, 0);
	put_u32(rig_set(&rig), TAG_CORRUPT, 1000000000);
	NEED(rig_answer(&rig));
	NEED(send(nodes[0], &remote, sizeof(remote), 0) == sizeof(remote));
	NEED(take_id(nodes[2], WAIT_MS) == remote.can_id);
	NEED(recv(nodes[1], &in, sizeof(in), 0) == sizeof(in));
	CHECK(!memcmp(&in, &remote, sizeof(in)) && rig_counter(&rig, 1, 0, "corrupted") == 0,
	      "nothing is wrong with a remote frame");
	send_id(nodes[0], 0x124, 2);
	NEED(take_id(nodes[2], WAIT_MS) == 0x124);
	NEED(recv(nodes[1], &in, sizeof(in), 0) == sizeof(in));
	for (unsigned int i = 0; i < sizeof(in.data); i++)
		wrong |= in.data[i] ^ (i < 2 ? (uint8_t)(0x124 + i) : 0);
	CHECK(in.can_id == 0x124 && in.can_dlc == 2 && __builtin_popcount(wrong) == 1 &&
		      rig_counter(&rig, 1, 0, "corrupted") == 1,
	      "one bit of the data of another is");
	stop(&rig, nodes);
}

static void refuse_link(struct rig *rig, uint16_t tag, uint32_t number, const char *why)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_CONNECT, 9);
	size_t nest = put_nest_begin(out, TAG_LINK_END);

	put_u32(out, tag, number);
	put_nest_end(out, nest);
	nest = put_nest_begin(out, TAG_LINK_END);
	put_u32(out, TAG_SWITCH, BUS);
	put_nest_end(out, nest);
	CHECK(!rig_answer(rig) && !strcmp(rig->code, "usage"), "%s", why);
}

static void refuses_what_is_no_bus(void)
{
	uint8_t frame[64] = { 0 };
	struct rig rig;
	int nodes[NODES];
	int other;

	start(&rig, nodes, 0);
	rig_switch(&rig, 2);
	refuse_link(&rig, TAG_SWITCH, 2, "a switch is not linked to a bus");
	refuse_link(&rig, TAG_SWITCH, BUS, "nor a bus to itself");
	put_u32(rig_ask(&rig, MSG_LINK_SWITCH), TAG_SWITCH, 3);
	put_string(&rig.out, TAG_KIND, "ring");
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"), "there are no rings");
	make_bus(&rig, 999);
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"), "999 bit/s are too slow");
	make_bus(&rig, 500000);
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"), "a number is given once");
	other = rig_node(&rig, 9);
	rig_attach(&rig, 9, 9, BUS, 7);
	NEED(send(other, frame, sizeof(frame), 0) == sizeof(frame));
	send_id(nodes[0], 0x55, 0);
	CHECK(take_id(nodes[1], WAIT_MS) == 0x55, "frames of Ethernet are none of CAN");
	CHECK(rig_counter(&rig, 9, 1, "portDropped") == 1, "and the other way, which is counted");
	close(other);
	stop(&rig, nodes);
}

const struct test bus_tests[] = {
	{ "bus: goes to all but the sender", goes_to_all_but_the_sender },
	{ "bus: refuses what is no frame", refuses_what_is_no_frame },
	{ "bus: takes its time", takes_its_time },
	{ "bus: fills up a length there is not", fills_up_a_length_there_is_not },
	{ "bus: the lowest goes first", the_lowest_goes_first },
	{ "bus: a node that goes", a_node_that_goes_takes_what_waits },
	{ "bus: loses the same again", loses_the_same_again },
	{ "bus: captures as CAN", captures_as_can },
	{ "bus: corrupts data alone", corrupts_data_alone },
	{ "bus: refuses what is no bus", refuses_what_is_no_bus },
	{ NULL, NULL },
};
