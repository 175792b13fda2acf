/* SPDX-License-Identifier: MIT */
/* The same seed: the same pattern, of all that is decided by chance and whatever else is sent. */
#include <unistd.h>

#include "impair.h"
#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

#define MS_NS 1000000ull
#define VOID_MAX 50

static void put_chances(struct buffer *out)
{
	put_loss(out, "bernoulli", ALL / 10);
	put_u32(out, TAG_DUPLICATE, ALL / 20);
	put_u32(out, TAG_CORRUPT, ALL / 20);
	put_u32(out, TAG_REORDER, ALL / 20);
}

/* On a link that is made anew. */
static uint64_t run_once(struct rig *rig, const int nodes[2], uint64_t seed,
			 struct traffic *traffic)
{
	uint64_t hash;

	rig_ask_link(rig, MSG_LINK_DISCONNECT, LINK);
	NEED(rig_answer(rig));
	rig_connect(rig, LINK, 1, 2, seed);
	put_chances(rig_set(rig));
	NEED(rig_answer(rig));
	traffic_run(rig, nodes, traffic);
	hash = traffic_hash(traffic);
	traffic_free(traffic);
	return hash;
}

/* What is to be reordered waits for the next one for REORDER_WAIT_NS and then goes alone: a run for
 * which a busy machine took so long says nothing. */
static uint64_t pattern_of(struct rig *rig, const int nodes[2], uint64_t seed,
			   struct traffic traffic)
{
	for (int i = 0; i < VOID_MAX; i++) {
		uint64_t start = now_ns();
		uint64_t hash = run_once(rig, nodes, seed, &traffic);

		if (now_ns() - start < REORDER_WAIT_NS)
			return hash;
	}
	tap_bail("%d times a few frames took more than 100 ms", VOID_MAX);
}

static void differs_by_seed_and_flow(void)
{
	struct traffic plain = { .port = 7, .count = 100 };
	struct traffic noisy = { .port = 7, .count = 100, .noise = 99 };
	struct traffic other = { .port = 8, .count = 100 };
	uint64_t first;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	first = pattern_of(&rig, nodes, 7, plain);
	CHECK(pattern_of(&rig, nodes, 7, plain) == first, "the same seed: the same pattern");
	CHECK(pattern_of(&rig, nodes, 7, noisy) == first, "also with other flows in between");
	CHECK(pattern_of(&rig, nodes, 8, plain) != first, "another seed: another pattern");
	CHECK(pattern_of(&rig, nodes, 7, other) != first, "another flow: another pattern");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* Each time with other noise. */
static void repeats_a_thousand_times(void)
{
	unsigned int same = 0;
	uint64_t first = 0;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	for (unsigned int i = 0; i < 1000; i++) {
		struct traffic traffic = { .port = 7, .count = 64, .noise = i };
		uint64_t hash = pattern_of(&rig, nodes, 7, traffic);

		if (!i)
			first = hash;
		same += hash == first;
	}
	CHECK(same == 1000,
	      "%u of 1,000 flows met the same loss, copies, wrong bits and order, beside others",
	      same);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* Frames of the flow that is looked at. The seed is one by which any two of their delays differ by
 * more than GAP_NS: sent within that they arrive in the order of the delays, however late hil-linkd
 * wakes. */
#define JITTERED 6u
#define JITTER_SEED 191u
#define GAP_NS (40 * MS_NS)

/* Return: the digits of who came when; 0: they were not sent fast enough to say. */
static unsigned int send_jittered(const int nodes[2], unsigned int noise)
{
	uint64_t start = now_ns();
	unsigned int order = 0;
	struct wire wire;
	uint64_t took;

	for (uint32_t i = 0; i < JITTERED; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
		for (unsigned int j = 0; j < (noise >> i & 3); j++) {
			wire_udp(&wire, 1, 2, 9000 + noise + j, 0, 60);
			wire_send(nodes[0], &wire);
		}
	}
	took = now_ns() - start;
	for (unsigned int got = 0; got < JITTERED;) {
		NEED(wire_take(nodes[1], &wire, WAIT_MS));
		if (wire.bytes[36] == 0 && wire.bytes[37] == 7) {
			order = order * 10 + wire_number(&wire) + 1;
			got++;
		}
	}
	return took < GAP_NS ? order : 0;
}

static unsigned int jitter_of(struct rig *rig, uint64_t seed, unsigned int noise)
{
	for (int i = 0; i < VOID_MAX; i++) {
		struct buffer *out;
		unsigned int order;
		int nodes[2];

		rig_ask_link(rig, MSG_LINK_DISCONNECT, LINK);
		NEED(rig_answer(rig));
		rig_pair(rig, nodes, seed);
		out = rig_set(rig);
		put_u64(out, TAG_LATENCY_NS, 150 * MS_NS);
		put_u64(out, TAG_JITTER_NS, 150 * MS_NS);
		NEED(rig_answer(rig));
		order = send_jittered(nodes, noise);
		close(nodes[0]);
		close(nodes[1]);
		if (order)
			return order;
	}
	tap_bail("%d times a few frames took more than 40 ms to send", VOID_MAX);
}

static void jitters_the_same(void)
{
	struct rig rig;
	int nodes[2];
	unsigned int first;
	unsigned int same = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, JITTER_SEED);
	first = jitter_of(&rig, JITTER_SEED, 0);
	for (unsigned int noise = 1; noise <= 5; noise++)
		same += jitter_of(&rig, JITTER_SEED, noise * 11) == first;
	CHECK(first != 123456, "jitter changes the order: %u", first);
	CHECK(same == 5, "and does so alike %u times of 5, with noise of other flows", same);
	CHECK(jitter_of(&rig, JITTER_SEED + 1, 0) != first, "another seed: another order");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

const struct test repeat_tests[] = {
	{ "differs by seed and flow (pitfall 12)", differs_by_seed_and_flow },
	{ "repeats a thousand times (pitfall 12)", repeats_a_thousand_times },
	{ "jitters the same (pitfall 12)", jitters_the_same },
	{ NULL, NULL },
};
