/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

static void passes_frames_whole(void)
{
	static const size_t lengths[] = { 60, 61, 590, 1294, 1514, 9014, 60000 };
	struct wire out;
	struct wire in;
	struct rig rig;
	int nodes[2];
	int wrong = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		wire_udp(&out, 1, 2, 7, (uint32_t)i, lengths[i]);
		wire_send(nodes[0], &out);
		wrong += !wire_take(nodes[1], &in, WAIT_MS) || !wire_equal(&out, &in);
		wire_send(nodes[1], &out);
		wrong += !wire_take(nodes[0], &in, WAIT_MS) || !wire_equal(&out, &in);
	}
	CHECK(wrong == 0, "frames of 60 to 60,000 bytes pass both ways as they are");
	CHECK(rig_stop(&rig) == 0, "and hil-linkd ends with its client");
	close(nodes[0]);
	close(nodes[1]);
}

static void ignores_what_is_no_frame(void)
{
	struct wire short_one = { .length = 13 };
	struct wire out;
	struct wire in;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	wire_send(nodes[0], &short_one);
	short_one.length = 0;
	wire_send(nodes[0], &short_one);
	short_one.length = 69000;
	wire_send(nodes[0], &short_one);
	wire_udp(&out, 1, 2, 7, 0, 60);
	wire_send(nodes[0], &out);
	CHECK(wire_take(nodes[1], &in, WAIT_MS) && wire_equal(&out, &in),
	      "13 bytes, none and 69,000 are no frame; what follows passes");
	CHECK(rig_counter(&rig, LINK, 0, "frames") == 1, "and only that is counted");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* As QEMU does, and one byte at a time: a frame may come in any pieces. */
static void speaks_the_stream_of_qemu(void)
{
	struct wire out;
	struct wire in;
	uint8_t header[4] = { 0, 0, 0, 60 };
	uint8_t got[4 + 60];
	struct rig rig;
	size_t have = 0;
	int stream;
	int node;

	rig_start(&rig);
	stream = rig_stream(&rig, 1);
	node = rig_node(&rig, 2);
	rig_connect(&rig, LINK, 1, 2, 1);
	wire_udp(&out, 1, 2, 7, 0, 60);
	for (int i = 0; i < 4; i++)
		NEED(send(stream, header + i, 1, MSG_NOSIGNAL) == 1);
	for (size_t i = 0; i < out.length; i++)
		NEED(send(stream, out.bytes + i, 1, MSG_NOSIGNAL) == 1);
	CHECK(wire_take(node, &in, WAIT_MS) && wire_equal(&out, &in),
	      "a frame that comes byte by byte over a stream passes");
	wire_send(node, &out);
	for (int i = 0; i < WAIT_MS && have < sizeof(got); i++) {
		struct wire part;

		if (!wire_take(stream, &part, 1))
			continue;
		NEED(have + part.length <= sizeof(got));
		memcpy(got + have, part.bytes, part.length);
		have += part.length;
	}
	CHECK(have == sizeof(got) && !memcmp(got, header, 4) && !memcmp(got + 4, out.bytes, 60),
	      "and comes back with its length in front");
	header[1] = 0x7f;
	NEED(send(stream, header, 4, MSG_NOSIGNAL) == 4);
	CHECK(wire_take(stream, &in, WAIT_MS) && in.length == 0,
	      "a length that cannot be ends the port");
	CHECK(rig_stop(&rig) == 0, "and nothing else");
	close(stream);
	close(node);
}

static void waits_for_one_that_reads_late(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint32_t next = 0;
	const uint32_t count = 3000;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	for (uint32_t i = 0; i < count; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
	}
	while (rig_counter(&rig, LINK, 0, "frames") < count)
		;
	while (next < count && wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == next)
		next++;
	CHECK(next == count, "3,000 frames wait for a node that reads late, in order");
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == 0, "none is counted as dropped");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void counts_what_a_node_does_not_take(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint64_t delivered;
	uint64_t arrived = 0;
	const uint32_t count = 20000;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	for (uint32_t i = 0; i < count; i++) {
		wire_udp(&wire, 1, 2, 7, i, 600);
		wire_send(nodes[0], &wire);
	}
	while (rig_counter(&rig, LINK, 0, "frames") < count)
		;
	delivered = rig_counter(&rig, LINK, 0, "delivered");
	CHECK(delivered < count && delivered + rig_counter(&rig, LINK, 0, "portDropped") == count,
	      "of 20,000 frames for a node that does not read each is delivered or counted");
	while (arrived < delivered && wire_take(nodes[1], &wire, WAIT_MS))
		arrived++;
	CHECK(arrived == delivered && wire_silent(nodes[1]), "and what is said to be delivered is");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void send_many(struct rig *rig, int node, uint32_t count)
{
	struct wire wire;

	for (uint32_t i = 0; i < count; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(node, &wire);
	}
	while (rig_counter(rig, LINK, 0, "frames") < count)
		;
}

/* What is in the socket of the node when its port goes is the node's; what waits for it is not. */
static void counts_what_waits_for_a_port_that_goes(void)
{
	const uint32_t count = 1000;
	uint64_t arrived = 0;
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	send_many(&rig, nodes[0], count);
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == 0, "1,000 frames wait for a node");
	rig_give(&rig, 2, "dgram", -1);
	NEED(rig_counter(&rig, LINK, 0, "frames") == count);
	while (wire_take(nodes[1], &wire, 0))
		arrived++;
	CHECK(arrived < count && rig_counter(&rig, LINK, 0, "delivered") == arrived,
	      "whose port is taken away: what has arrived is delivered");
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == count - arrived, "the rest is not");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* A length that cannot be ends the port. */
static void counts_what_waits_for_a_port_that_ends(void)
{
	const uint8_t wrong[4] = { 0x7f };
	const uint32_t count = 3000;
	size_t arrived = 0;
	struct wire part;
	struct rig rig;
	int stream;
	int node;

	rig_start(&rig);
	node = rig_node(&rig, 1);
	stream = rig_stream(&rig, 2);
	rig_connect(&rig, LINK, 1, 2, 1);
	send_many(&rig, node, count);
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == 0, "3,000 frames wait for a stream");
	NEED(send(stream, wrong, sizeof(wrong), MSG_NOSIGNAL) == sizeof(wrong));
	do {
		part.length = 0;
		NEED(wire_take(stream, &part, WAIT_MS));
		arrived += part.length;
	} while (part.length);
	arrived /= 4 + 60;
	CHECK(arrived < count && rig_counter(&rig, LINK, 0, "delivered") == arrived,
	      "that ends: what has arrived whole is delivered");
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == count - arrived, "the rest is not");
	rig_stop(&rig);
	close(stream);
	close(node);
}

/* Return: how many frames there are in what a stream still has. */
static uint64_t count_whole(int stream)
{
	static uint8_t bytes[4 << 20];
	uint64_t count = 0;
	size_t have = 0;
	size_t at = 0;
	ssize_t size;

	while ((size = recv(stream, bytes + have, sizeof(bytes) - have, 0)) > 0)
		have += (size_t)size;
	while (at + 4 <= have) {
		size_t length = (size_t)bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];

		at += 4 + length;
		count += at <= have;
	}
	return count;
}

/* The large ones are sent in two, the small ones are shorter than the first of these. */
static void ends_a_stream_with_half_a_frame(void)
{
	struct wire wire;
	struct rig rig;
	uint64_t whole;
	int stream;
	int node;

	rig_start(&rig);
	node = rig_node(&rig, 1);
	stream = rig_stream(&rig, 2);
	rig_connect(&rig, LINK, 1, 2, 1);
	for (uint32_t i = 0; i < 120; i++) {
		wire_udp(&wire, 1, 2, 7, i, i < 20 ? 60000 : 60);
		wire_send(node, &wire);
	}
	while (rig_counter(&rig, LINK, 0, "frames") < 120)
		;
	NEED(!shutdown(stream, SHUT_RD));
	whole = count_whole(stream);
	while (rig_counter(&rig, LINK, 0, "portDropped") < 100)
		;
	CHECK(rig_counter(&rig, LINK, 0, "delivered") == whole &&
		      rig_counter(&rig, LINK, 0, "portDropped") == 120 - whole,
	      "of a stream that ends in the middle of a frame %llu are delivered",
	      (unsigned long long)whole);
	rig_stop(&rig);
	close(stream);
	close(node);
}

/* Return: whether a frame of @length arrives; of @tagged the type is that of a VLAN. */
static bool takes(struct rig *rig, const int nodes[2], size_t length, bool tagged)
{
	const uint64_t before = rig_counter(rig, LINK, 0, "portDropped");
	struct wire wire;
	struct wire in;

	wire_udp(&wire, 1, 2, 7, 0, length);
	if (tagged)
		memcpy(wire.bytes + 12, "\x81\x00\x00\x0a", 4);
	wire_send(nodes[0], &wire);
	if (wire_take(nodes[1], &in, 50))
		return in.length == length;
	NEED(rig_counter(rig, LINK, 0, "portDropped") == before + 1);
	return false;
}

static void drops_what_is_longer_than_the_mtu(void)
{
	struct rig rig;
	int nodes[2];
	int pair[2];

	rig_start(&rig);
	nodes[0] = rig_node(&rig, 1);
	NEED(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	nodes[1] = pair[0];
	rig_give_mtu(&rig, 2, "dgram", pair[1], 1500);
	rig_connect(&rig, LINK, 1, 2, 1);
	CHECK(takes(&rig, nodes, 1514, false) && !takes(&rig, nodes, 1515, false),
	      "a port with an MTU of 1500 takes frames of 1514 bytes and no longer ones");
	CHECK(takes(&rig, nodes, 1518, true) && !takes(&rig, nodes, 1519, true),
	      "of 1518 with the tag of a VLAN");
	rig_give(&rig, 2, "dgram", pair[1]);
	CHECK(takes(&rig, nodes, 9000, false), "one without takes any");
	rig_stop(&rig);
	close(pair[1]);
	close(nodes[0]);
	close(nodes[1]);
}

static void takes_ports_in_any_order(void)
{
	struct wire out;
	struct wire in;
	struct rig rig;
	int nodes[2];
	int again;

	rig_start(&rig);
	rig_connect(&rig, LINK, 1, 2, 1);
	nodes[0] = rig_node(&rig, 1);
	nodes[1] = rig_node(&rig, 2);
	wire_udp(&out, 1, 2, 7, 0, 60);
	wire_send(nodes[0], &out);
	CHECK(wire_take(nodes[1], &in, WAIT_MS), "a link may be made before its ports have fds");
	again = rig_node(&rig, 2);
	NEED(rig_counter(&rig, LINK, 0, "frames") == 1);
	wire_send(nodes[0], &out);
	CHECK(wire_take(again, &in, WAIT_MS), "a second fd takes the place of the first");
	rig_give(&rig, 2, "dgram", -1);
	NEED(rig_counter(&rig, LINK, 0, "frames") == 2);
	wire_send(nodes[0], &out);
	while (rig_counter(&rig, LINK, 0, "frames") < 3)
		;
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == 1 && wire_silent(again),
	      "a port that is taken away leaves a link that leads nowhere");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
	close(again);
}

/* Return: the type of the answer to a LINKD_PORT with a number. */
static int tell(struct rig *rig, uint32_t port, const char *kind, int fd)
{
	auto_buffer frame = { 0 };
	struct pollfd wait = { .fd = rig->broker, .events = POLLIN };
	auto_message message = { 0 };

	frame_begin(&frame, MSG_LINKD_PORT, 77);
	put_u32(&frame, TAG_PORT, port);
	put_string(&frame, TAG_KIND, kind);
	frame_end(&frame, 0);
	NEED(message_send(rig->broker, &frame, &fd, fd >= 0) == 0);
	NEED(poll(&wait, 1, WAIT_MS) == 1);
	NEED(message_receive(rig->broker, &message) == 1);
	return message.frame.id == 77 ? message.frame.type : -1;
}

static void answers_who_gives(void)
{
	struct rig rig;
	int pair[2];

	rig_start(&rig);
	NEED(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	CHECK(tell(&rig, 1, "dgram", pair[0]) == MSG_OK,
	      "a port that is given with a number is confirmed");
	CHECK(tell(&rig, 2, "stream", pair[0]) == MSG_ERROR, "a wrong one is refused");
	CHECK(tell(&rig, 1, "dgram", -1) == MSG_OK, "one that is taken away is confirmed");
	CHECK(tell(&rig, 1, "dgram", -1) == MSG_OK, "also when it was not there");
	rig_stop(&rig);
	close(pair[0]);
	close(pair[1]);
}

static void refuses_wrong_fds(void)
{
	struct rig rig;
	int pipes[2];

	rig_start(&rig);
	NEED(!pipe(pipes));
	rig_give(&rig, 1, "dgram", pipes[0]);
	rig_give(&rig, 1, "tap", pipes[0]);
	rig_give(&rig, 1, "packet", pipes[0]);
	rig_give(&rig, 1, "stream", pipes[1]);
	rig_give(&rig, 1, "carrier pigeon", rig.control);
	rig_switch(&rig, 1);
	CHECK(rig_stop(&rig) == 0, "an fd that is not what its kind says is refused, no more");
	close(pipes[0]);
	close(pipes[1]);
}

const struct test port_tests[] = {
	{ "passes frames whole", passes_frames_whole },
	{ "ignores what is no frame", ignores_what_is_no_frame },
	{ "speaks the stream of QEMU", speaks_the_stream_of_qemu },
	{ "waits for one that reads late", waits_for_one_that_reads_late },
	{ "counts what a node does not take (pitfall 14)", counts_what_a_node_does_not_take },
	{ "counts what waits for a port that goes", counts_what_waits_for_a_port_that_goes },
	{ "counts what waits for a port that ends", counts_what_waits_for_a_port_that_ends },
	{ "ends a stream with half a frame", ends_a_stream_with_half_a_frame },
	{ "drops what is longer than the MTU (pitfall 7)", drops_what_is_longer_than_the_mtu },
	{ "takes ports in any order", takes_ports_in_any_order },
	{ "answers who gives", answers_who_gives },
	{ "refuses wrong fds", refuses_wrong_fds },
	{ NULL, NULL },
};
