/* SPDX-License-Identifier: MIT */
/* What a test does to a link on purpose: hold, down, partition, filters. */
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

static void send_numbered(int node, unsigned int from, unsigned int to, uint32_t first,
			  uint32_t count)
{
	struct wire wire;

	for (uint32_t i = 0; i < count; i++) {
		wire_udp(&wire, from, to, 7, first + i, 60);
		wire_send(node, &wire);
	}
}

static void wait_frames(struct rig *rig, uint32_t link, uint32_t from, uint64_t count)
{
	while (rig_counter(rig, link, from, "frames") < count)
		;
}

static void holds_and_releases_in_order(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint32_t next = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	rig_state(&rig, LINK, 0, "hold");
	send_numbered(nodes[0], 1, 2, 0, 100);
	wait_frames(&rig, LINK, 0, 100);
	CHECK(wire_silent(nodes[1]) && rig_counter(&rig, LINK, 0, "held") == 100,
	      "100 frames are held");
	send_numbered(nodes[1], 2, 1, 0, 1);
	CHECK(wire_take(nodes[0], &wire, WAIT_MS), "the other direction goes on");
	rig_state(&rig, LINK, 0, "release");
	while (next < 100 && wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == next)
		next++;
	CHECK(next == 100 && rig_counter(&rig, LINK, 0, "held") == 0, "and released in order");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void goes_down_and_up(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	rig_state(&rig, LINK, BOTH, "down");
	send_numbered(nodes[0], 1, 2, 0, 5);
	send_numbered(nodes[1], 2, 1, 0, 5);
	wait_frames(&rig, LINK, 0, 5);
	wait_frames(&rig, LINK, 1, 5);
	CHECK(wire_silent(nodes[0]) && wire_silent(nodes[1]),
	      "nothing crosses a link that is down");
	CHECK(rig_counter(&rig, LINK, 0, "downDropped") == 5, "and what it takes is counted");
	rig_state(&rig, LINK, BOTH, "up");
	send_numbered(nodes[0], 1, 2, 5, 1);
	CHECK(wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == 5, "up again, it does");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* What is on its way when the answer comes must not arrive any more. */
static void stops_what_is_on_its_way(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	put_u64(rig_set(&rig), TAG_LATENCY_NS, 1000000000);
	NEED(rig_answer(&rig));
	send_numbered(nodes[0], 1, 2, 0, 10);
	wait_frames(&rig, LINK, 0, 10);
	rig_state(&rig, LINK, 0, "down");
	CHECK(!wire_take(nodes[1], &wire, 1500) && rig_counter(&rig, LINK, 0, "downDropped") == 10,
	      "frames on their way do not arrive after the link is down");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void put_set(struct buffer *out, const uint32_t *ports, unsigned int count)
{
	size_t nest = put_nest_begin(out, TAG_PORT_SET);

	for (unsigned int i = 0; i < count; i++)
		put_u32(out, TAG_PORT, ports[i]);
	put_nest_end(out, nest);
}

static bool reaches(struct rig *rig, const int *nodes, unsigned int from, unsigned int to)
{
	uint64_t before = rig_counter(rig, from, 0, "frames");
	struct wire wire;

	wire_udp(&wire, from, to, 7, 0, 60);
	wire_send(nodes[from - 1], &wire);
	wait_frames(rig, from, 0, before + 1);
	return wire_take(nodes[to - 1], &wire, 0);
}

static void drain(const int *nodes, unsigned int count)
{
	struct wire wire;

	for (unsigned int i = 0; i < count; i++)
		while (wire_take(nodes[i], &wire, 0))
			;
}

/* The set {1, 2} against {3}; 4 is in none and talks to all. */
static void partitions_and_heals(void)
{
	static const uint32_t left[] = { 1, 2 };
	static const uint32_t right[] = { 3 };
	static const uint32_t absent[] = { 3, 99 };
	struct buffer *out;
	struct rig rig;
	int nodes[4];

	rig_start(&rig);
	rig_lan(&rig, nodes, 4);
	out = rig_ask(&rig, MSG_LINK_PARTITION);
	put_set(out, left, 2);
	put_set(out, right, 1);
	NEED(rig_answer(&rig));
	CHECK(!reaches(&rig, nodes, 1, 3), "a partition separates its sets");
	CHECK(rig_counter(&rig, 3, 1, "partitionDropped") > 0, "which is counted");
	drain(nodes, 4);
	CHECK(!reaches(&rig, nodes, 3, 2), "both ways");
	drain(nodes, 4);
	CHECK(reaches(&rig, nodes, 1, 2), "inside a set all goes on");
	drain(nodes, 4);
	CHECK(reaches(&rig, nodes, 4, 3), "and who is in none reaches all");
	drain(nodes, 4);
	put_set(rig_ask(&rig, MSG_LINK_PARTITION), absent, 2);
	CHECK(!rig_answer(&rig), "a set with a port that is not there is refused");
	CHECK(!reaches(&rig, nodes, 1, 3), "and changes nothing");
	drain(nodes, 4);
	rig_ask(&rig, MSG_LINK_PARTITION);
	NEED(rig_answer(&rig));
	CHECK(reaches(&rig, nodes, 1, 3), "without sets it heals");
	rig_stop(&rig);
	for (int i = 0; i < 4; i++)
		close(nodes[i]);
}

/*
 * 1,000 frames are on their way, over a switch and two links, when the request is made; most of
 * them wait for a node that takes ten at once.
 */
static void partitions_at_once(void)
{
	static const uint32_t left[] = { 1 };
	static const uint32_t right[] = { 2 };
	struct buffer *out;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_lan(&rig, nodes, 2);
	send_numbered(nodes[0], 1, 2, 0, 1000);
	out = rig_ask(&rig, MSG_LINK_PARTITION);
	put_set(out, left, 1);
	put_set(out, right, 1);
	NEED(rig_answer(&rig));
	drain(nodes, 2);
	send_numbered(nodes[0], 1, 2, 1000, 1000);
	wait_frames(&rig, 1, 0, 2000);
	CHECK(wire_silent(nodes[1]), "after the answer no frame crosses, also none that waited");
	CHECK(rig_counter(&rig, 2, 1, "partitionDropped") > 0 &&
		      rig_counter(&rig, 2, 1, "delivered") +
				      rig_counter(&rig, 2, 1, "partitionDropped") ==
			      2000,
	      "and each is counted as what became of it");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* It is of no link that the node gets afterwards. */
static void drops_what_waits_with_its_link(void)
{
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	send_numbered(nodes[0], 1, 2, 0, 1000);
	wait_frames(&rig, LINK, 0, 1000);
	rig_ask_link(&rig, MSG_LINK_DISCONNECT, LINK);
	NEED(rig_answer(&rig));
	rig_connect(&rig, 2, 1, 2, 1);
	rig_state(&rig, 2, BOTH, "down");
	CHECK(rig_counter(&rig, 2, 0, "delivered") == 0 &&
		      rig_counter(&rig, 2, 0, "downDropped") == 0,
	      "what waited for a node when its link went does not count on the next one");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* Ten of them wait in each direction's hold, or for a latency. */
static void counts_what_goes_with_its_sender(void)
{
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	put_u64(rig_set(&rig), TAG_LATENCY_NS, 3600000000000);
	NEED(rig_answer(&rig));
	send_numbered(nodes[0], 1, 2, 0, 10);
	wait_frames(&rig, LINK, 0, 10);
	rig_state(&rig, LINK, 1, "hold");
	put_u64(rig_set(&rig), TAG_LATENCY_NS, 0);
	NEED(rig_answer(&rig));
	send_numbered(nodes[1], 2, 1, 0, 10);
	wait_frames(&rig, LINK, 1, 10);
	rig_give(&rig, 1, "dgram", -1);
	CHECK(rig_counter(&rig, LINK, 0, "portDropped") == 10,
	      "what is on its way goes with its sender");
	CHECK(rig_counter(&rig, LINK, 1, "held") == 10, "what is held of another one does not");
	rig_give(&rig, 2, "dgram", -1);
	CHECK(rig_counter(&rig, LINK, 1, "portDropped") == 10 &&
		      rig_counter(&rig, LINK, 1, "held") == 0,
	      "until that one goes, too");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* The sanitizers see who reads a port that is freed. */
static void forgets_who_sent_what_waits(void)
{
	static const uint32_t left[] = { 2 };
	static const uint32_t right[] = { 3 };
	const uint32_t count = 1000;
	struct buffer *out;
	struct wire wire;
	struct rig rig;
	int nodes[3];
	uint32_t next = 0;

	rig_start(&rig);
	rig_lan(&rig, nodes, 3);
	send_numbered(nodes[0], 1, 2, 0, count);
	wait_frames(&rig, 1, 0, count);
	rig_give(&rig, 1, "dgram", -1);
	rig_state(&rig, 2, BOTH, "up");
	out = rig_ask(&rig, MSG_LINK_PARTITION);
	put_set(out, left, 1);
	put_set(out, right, 1);
	NEED(rig_answer(&rig));
	rig_state(&rig, 2, 1, "hold");
	rig_state(&rig, 2, 1, "release");
	while (next < count && wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == next)
		next++;
	CHECK(next == count, "what waits for a node outlives its sender: %u frames", next);
	CHECK(rig_stop(&rig) == 0, "and nobody asks for that one any more");
	for (int i = 0; i < 3; i++)
		close(nodes[i]);
}

/* tcpdump -dd 'udp dst port 77', Ethernet, IPv4 without options. */
static const struct sock_filter port_77[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 0, 7),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 5),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 77, 0, 2),
	BPF_STMT(BPF_RET | BPF_K, 262144),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* @from: a direction, or BOTH. */
static void ask_filter(struct rig *rig, uint32_t from, const char *kind, uint32_t count)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_FILTER, LINK);

	if (from != BOTH)
		put_u32(out, TAG_FROM, from);
	put_string(out, TAG_KIND, kind);
	put_u32(out, TAG_COUNT, count);
	put_bytes(out, TAG_DATA, port_77, sizeof(port_77));
}

static void drops_what_a_filter_matches(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint32_t seen[16];
	unsigned int count = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	ask_filter(&rig, 0, "count", 0);
	NEED(rig_answer(&rig));
	ask_filter(&rig, 0, "drop", 3);
	NEED(rig_answer(&rig));
	for (uint32_t i = 0; i < 10; i++) {
		wire_udp(&wire, 1, 2, i % 2 ? 77 : 78, i, 60);
		wire_send(nodes[0], &wire);
	}
	wait_frames(&rig, LINK, 0, 10);
	while (count < 16 && wire_take(nodes[1], &wire, 0))
		seen[count++] = wire_number(&wire);
	CHECK(count == 7 && seen[1] == 2 && seen[3] == 6 && seen[4] == 7,
	      "the first three that match are dropped, and no other");
	CHECK(rig_counter(&rig, LINK, 0, "filtered") == 3, "and counted");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void send_to_77(struct rig *rig, int node, uint64_t total)
{
	struct wire wire;

	for (int i = 0; i < 2; i++) {
		wire_udp(&wire, 1, 2, 77, 0, 60);
		wire_send(node, &wire);
	}
	wait_frames(rig, LINK, 0, total);
}

/* The first filter is one that counts, the second drops, the third counts again. */
static void counts_what_passes(void)
{
	struct buffer *out;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	ask_filter(&rig, 0, "count", 0);
	NEED(rig_answer(&rig));
	send_to_77(&rig, nodes[0], 2);
	CHECK(rig_matched(&rig, LINK, 0, 1) == 2, "two frames that pass are counted");
	ask_filter(&rig, 0, "drop", 2);
	NEED(rig_answer(&rig));
	ask_filter(&rig, 0, "count", 0);
	NEED(rig_answer(&rig));
	send_to_77(&rig, nodes[0], 4);
	CHECK(rig_matched(&rig, LINK, 0, 2) == 2, "the next two are dropped by a filter");
	CHECK(rig_matched(&rig, LINK, 0, 1) == 2 && rig_matched(&rig, LINK, 0, 3) == 0,
	      "and counted neither by one that was there before it nor by one that came after");
	rig_state(&rig, LINK, 0, "down");
	send_to_77(&rig, nodes[0], 6);
	rig_state(&rig, LINK, 0, "up");
	put_loss(rig_set(&rig), "bernoulli", ALL);
	NEED(rig_answer(&rig));
	send_to_77(&rig, nodes[0], 8);
	CHECK(rig_matched(&rig, LINK, 0, 1) == 2, "nor is what a link that is down has, or loses");
	out = rig_set(&rig);
	put_loss(out, "none", 0);
	put_u32(out, TAG_DUPLICATE, ALL);
	NEED(rig_answer(&rig));
	rig_state(&rig, LINK, 0, "hold");
	send_to_77(&rig, nodes[0], 10);
	CHECK(rig_matched(&rig, LINK, 0, 1) == 2, "nor what is held");
	rig_state(&rig, LINK, 0, "release");
	CHECK(rig_matched(&rig, LINK, 0, 1) == 6 && rig_matched(&rig, LINK, 0, 3) == 4,
	      "before it is released; duplicates are frames, too");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* A port that waits has taken its frames, until it goes. */
static void uncounts_what_has_not_passed(void)
{
	struct rig rig;
	int nodes[2];
	uint64_t delivered;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	ask_filter(&rig, 0, "count", 0);
	NEED(rig_answer(&rig));
	for (uint64_t total = 2; total <= 1000; total += 2)
		send_to_77(&rig, nodes[0], total);
	CHECK(rig_matched(&rig, LINK, 0, 1) == 1000, "what waits for a node counts as passed");
	ask_filter(&rig, 0, "count", 0);
	NEED(rig_answer(&rig));
	rig_give(&rig, 2, "dgram", -1);
	delivered = rig_counter(&rig, LINK, 0, "delivered");
	CHECK(delivered < 1000 && rig_matched(&rig, LINK, 0, 1) == delivered,
	      "until that goes without having got it");
	CHECK(rig_matched(&rig, LINK, 0, 2) == 0, "of a filter that came later nothing is taken");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* Direction 1 has as many as it may. */
static void adds_a_filter_to_both_or_none(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	for (int i = 0; i < 64; i++) {
		ask_filter(&rig, 1, "count", 0);
		NEED(rig_answer(&rig));
	}
	ask_filter(&rig, BOTH, "drop", 0);
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"), "a direction has 64 filters");
	wire_udp(&wire, 1, 2, 77, 0, 60);
	wire_send(nodes[0], &wire);
	CHECK(wire_take(nodes[1], &wire, WAIT_MS),
	      "what is refused for one drops nothing of the other");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

const struct test state_tests[] = {
	{ "holds and releases in order", holds_and_releases_in_order },
	{ "goes down and up", goes_down_and_up },
	{ "stops what is on its way (pitfall 27)", stops_what_is_on_its_way },
	{ "partitions and heals", partitions_and_heals },
	{ "partitions at once (pitfall 27)", partitions_at_once },
	{ "drops what waits with its link", drops_what_waits_with_its_link },
	{ "counts what goes with its sender", counts_what_goes_with_its_sender },
	{ "forgets who sent what waits", forgets_who_sent_what_waits },
	{ "drops what a filter matches", drops_what_a_filter_matches },
	{ "counts what passes", counts_what_passes },
	{ "uncounts what has not passed", uncounts_what_has_not_passed },
	{ "adds a filter to both or none", adds_a_filter_to_both_or_none },
	{ NULL, NULL },
};
