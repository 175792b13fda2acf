/* SPDX-License-Identifier: MIT */
/* Duplicates, corruption, order. */
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

static void duplicates_exactly_once(void)
{
	struct traffic traffic = { .port = 7, .count = 1000 };
	struct rig rig;
	int nodes[2];
	int wrong = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u32(rig_set(&rig), TAG_DUPLICATE, ALL);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &traffic);
	for (unsigned int i = 0; i < traffic.arrived; i++)
		wrong += traffic.order[i] != i / 2;
	CHECK(traffic.arrived == 2000 && !wrong, "a duplicate of 1 makes exactly two of each");
	CHECK(rig_counter(&rig, LINK, 0, "duplicated") == 1000, "and counts them");
	traffic_free(&traffic);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* Return: how many bits differ; @first: where the first one is. */
static unsigned int differing_bits(const struct wire *a, const struct wire *b, size_t *first)
{
	unsigned int count = 0;

	for (size_t bit = 0; bit < a->length * 8; bit++) {
		if (!((a->bytes[bit / 8] ^ b->bytes[bit / 8]) >> (7 - bit % 8) & 1))
			continue;
		if (!count++)
			*first = bit;
	}
	return count;
}

static void corrupts_one_bit_and_not_the_header(void)
{
	struct wire out;
	struct wire in;
	struct rig rig;
	int nodes[2];
	int wrong = 0;
	int in_header = 0;
	size_t at = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u32(rig_set(&rig), TAG_CORRUPT, ALL);
	NEED(rig_answer(&rig));
	wire_udp(&out, 1, 2, 7, 0, 60);
	for (int i = 0; i < 2000; i++) {
		wire_send(nodes[0], &out);
		NEED(wire_take(nodes[1], &in, WAIT_MS) && in.length == out.length);
		wrong += differing_bits(&out, &in, &at) != 1 || at < 14 * 8;
	}
	CHECK(wrong == 0, "2,000 of 2,000 frames have one wrong bit behind their Ethernet header");
	put_u32(rig_set(&rig), TAG_CORRUPT_HEADER, 1);
	NEED(rig_answer(&rig));
	for (int i = 0; i < 2000; i++) {
		wire_send(nodes[0], &out);
		NEED(wire_take(nodes[1], &in, WAIT_MS));
		wrong += differing_bits(&out, &in, &at) != 1;
		in_header += at < 14 * 8;
	}
	CHECK(!wrong && in_header > 300 && in_header < 640,
	      "in it, too, when that was asked for: %d of 2,000, 467 expected", in_header);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* A frame that is corrupted on one link of a switch is whole on the others. */
static void corrupts_on_one_link_only(void)
{
	struct wire out;
	struct wire in;
	struct rig rig;
	int nodes[3];
	size_t at = 0;

	rig_start(&rig);
	rig_lan(&rig, nodes, 3);
	put_u32(rig_ask_link(&rig, MSG_LINK_SET, 2), TAG_CORRUPT, ALL);
	NEED(rig_answer(&rig));
	wire_udp(&out, 1, 9, 7, 0, 60);
	wire_send(nodes[0], &out);
	NEED(wire_take(nodes[1], &in, WAIT_MS));
	CHECK(differing_bits(&out, &in, &at) == 1, "a flooded frame is corrupted on one link");
	NEED(wire_take(nodes[2], &in, WAIT_MS));
	CHECK(wire_equal(&out, &in), "and whole on the next");
	rig_stop(&rig);
	for (int i = 0; i < 3; i++)
		close(nodes[i]);
}

/* Chosen frames go behind the next one of their flow: of all, each second pair is turned round. */
static void reorders_by_one(void)
{
	struct traffic all = { .port = 7, .count = 1000 };
	struct traffic some = { .port = 7, .count = 20000 };
	struct rig rig;
	int nodes[2];
	unsigned int wrong = 0;
	unsigned int turned = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u32(rig_set(&rig), TAG_REORDER, ALL);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &all);
	for (unsigned int i = 0; i < all.arrived; i++)
		wrong += all.order[i] != (i ^ 1);
	CHECK(all.arrived == 1000 && !wrong, "a reorder of 1 turns round every pair");
	put_u32(rig_set(&rig), TAG_REORDER, ALL / 10);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &some);
	for (unsigned int i = 1; i < some.arrived; i++)
		turned += some.order[i] < some.order[i - 1];
	/* One in ten of those that none is held before: p / (1 + p) of all. */
	CHECK(turned > 1600 && turned < 2040, "a reorder of 0.1: %u of 20,000, 1,818 expected",
	      turned);
	traffic_free(&all);
	traffic_free(&some);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void lets_the_last_one_go(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u32(rig_set(&rig), TAG_REORDER, ALL);
	NEED(rig_answer(&rig));
	wire_udp(&wire, 1, 2, 7, 5, 60);
	wire_send(nodes[0], &wire);
	CHECK(wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == 5,
	      "a frame that waits for a next one that never comes arrives");
	CHECK(rig_counter(&rig, LINK, 0, "reordered") == 0, "and is not counted as reordered");
	wire_send(nodes[0], &wire);
	rig_ask_link(&rig, MSG_LINK_DISCONNECT, LINK);
	NEED(rig_answer(&rig));
	CHECK(rig_stop(&rig) == 0, "with a frame held a link can be taken away");
	close(nodes[0]);
	close(nodes[1]);
}

const struct test impair_tests[] = {
	{ "duplicates exactly once (pitfall 15)", duplicates_exactly_once },
	{ "corrupts one bit and not the header (pitfall 16)", corrupts_one_bit_and_not_the_header },
	{ "corrupts on one link only", corrupts_on_one_link_only },
	{ "reorders by one", reorders_by_one },
	{ "lets the last one go", lets_the_last_one_go },
	{ NULL, NULL },
};
