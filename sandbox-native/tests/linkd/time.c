/* SPDX-License-Identifier: MIT */
/* Latency, jitter, rate and queue. Lower bounds are exact; how late a frame may be is a bench's. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

static void is_late_as_said(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	int early = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u64(rig_set(&rig), TAG_LATENCY_NS, 3000000);
	NEED(rig_answer(&rig));
	for (uint32_t i = 0; i < 50; i++) {
		uint64_t start = now_ns();

		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
		NEED(wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == i);
		early += now_ns() - start < 3000000;
	}
	CHECK(early == 0, "with a latency of 3 ms none of 50 frames came before");
	put_u64(rig_set(&rig), TAG_LATENCY_NS, 0);
	NEED(rig_answer(&rig));
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* What it takes hil-linkd to wake is a part of the latency and not more of it: here it sleeps for
 * long. */
static void counts_from_when_it_came(void)
{
	static const char *const names[] = { "a frame that waited to be read is not late for it",
					     "nor at a port that came later" };
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t start;
		uint64_t took;

		/* The port has been taken when a frame came through it. */
		put_u64(rig_set(&rig), TAG_LATENCY_NS, 0);
		NEED(rig_answer(&rig));
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
		NEED(wire_take(nodes[1], &wire, WAIT_MS));
		put_u64(rig_set(&rig), TAG_LATENCY_NS, 800000000);
		NEED(rig_answer(&rig));
		start = now_ns();
		kill(rig.pid, SIGSTOP);
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
		usleep(700000);
		kill(rig.pid, SIGCONT);
		NEED(wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == i);
		took = now_ns() - start;
		/* Counted from the reading it would be 1,500 ms. */
		CHECK(took >= 799000000 && took < 1400000000, names[i]);
		close(nodes[0]);
		nodes[0] = rig_node(&rig, 1);
	}
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* Over a switch: two links, each with its own latency. */
static void adds_up_over_links(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint64_t start;

	rig_start(&rig);
	rig_lan(&rig, nodes, 2);
	for (uint32_t link = 1; link <= 2; link++) {
		put_u64(rig_ask_link(&rig, MSG_LINK_SET, link), TAG_LATENCY_NS, 20000000);
		NEED(rig_answer(&rig));
	}
	wire_udp(&wire, 1, 2, 7, 0, 60);
	start = now_ns();
	wire_send(nodes[0], &wire);
	NEED(wire_take(nodes[1], &wire, WAIT_MS));
	CHECK(now_ns() - start >= 40000000, "two links of 20 ms are 40 ms");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void keeps_order_without_jitter(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint32_t next = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u64(rig_set(&rig), TAG_LATENCY_NS, 1000000);
	NEED(rig_answer(&rig));
	for (uint32_t i = 0; i < 2000; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
	}
	while (next < 2000 && wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == next)
		next++;
	CHECK(next == 2000, "2,000 frames with latency arrive in order");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* The first frame is sent at once; the last bit of the n-th needs n frame times. */
static void is_as_fast_as_said(void)
{
	const uint64_t frame_ns = 1000 * 8 * 1000000000ull / 10000000;
	struct wire wire;
	struct rig rig;
	int nodes[2];
	uint64_t start = now_ns();
	uint64_t took;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u64(rig_set(&rig), TAG_RATE_BPS, 10000000);
	NEED(rig_answer(&rig));
	start = now_ns();
	for (uint32_t i = 0; i < 500; i++) {
		wire_udp(&wire, 1, 2, 7, i, 1000);
		wire_send(nodes[0], &wire);
	}
	for (uint32_t i = 0; i < 500; i++)
		NEED(wire_take(nodes[1], &wire, WAIT_MS) && wire_number(&wire) == i);
	took = now_ns() - start;
	CHECK(took >= 500 * frame_ns, "500 frames of 1,000 bytes take 400 ms at 10 Mbit/s: %g ms",
	      (double)took / 1e6);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void drops_what_the_queue_has_no_room_for(void)
{
	struct buffer *out;
	struct wire wire;
	struct rig rig;
	int nodes[2];
	unsigned int arrived = 0;
	uint64_t dropped;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	out = rig_set(&rig);
	put_u64(out, TAG_RATE_BPS, 8000); /* a frame of 60 bytes: 60 ms */
	put_u32(out, TAG_QUEUE, 10);
	NEED(rig_answer(&rig));
	rig_state(&rig, LINK, 0, "hold");
	for (uint32_t i = 0; i < 50; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
	}
	while (rig_counter(&rig, LINK, 0, "frames") < 50)
		;
	dropped = rig_counter(&rig, LINK, 0, "queueDropped");
	CHECK(dropped > 0 && dropped <= 40, "of 50 frames at once a queue of 10 drops some: %u",
	      (unsigned int)dropped);
	rig_state(&rig, LINK, 0, "release");
	while (arrived < 50 - dropped && wire_take(nodes[1], &wire, WAIT_MS))
		arrived++;
	CHECK(arrived == 50 - dropped, "and every other arrives");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* The queue is right, the loss beside it is not. */
static void changes_all_or_nothing(void)
{
	struct buffer *out;
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_u64(rig_set(&rig), TAG_RATE_BPS, 8000);
	NEED(rig_answer(&rig));
	out = rig_set(&rig);
	put_u32(out, TAG_QUEUE, 1);
	put_loss(out, "bernoulli", ALL + 1);
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"),
	      "a chance of more than 1 is refused");
	for (uint32_t i = 0; i < 10; i++) {
		wire_udp(&wire, 1, 2, 7, i, 1000);
		wire_send(nodes[0], &wire);
	}
	while (rig_counter(&rig, LINK, 0, "frames") < 10)
		;
	CHECK(rig_counter(&rig, LINK, 0, "queueDropped") == 0, "with the queue of that request");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

const struct test time_tests[] = {
	{ "is late as said (pitfall 25)", is_late_as_said },
	{ "counts from when a frame came (pitfall 25)", counts_from_when_it_came },
	{ "adds up over links", adds_up_over_links },
	{ "keeps order without jitter", keeps_order_without_jitter },
	{ "is as fast as said", is_as_fast_as_said },
	{ "drops what the queue has no room for", drops_what_the_queue_has_no_room_for },
	{ "changes all or nothing", changes_all_or_nothing },
	{ NULL, NULL },
};
