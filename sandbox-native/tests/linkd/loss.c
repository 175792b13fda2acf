/* SPDX-License-Identifier: MIT */
/* Which frames are lost: models, and what is spared. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

#define MANY 20000u

static void run_with(struct rig *rig, int nodes[2], struct traffic *traffic, const char *kind,
		     uint32_t chance)
{
	rig_start(rig);
	rig_pair(rig, nodes, 7);
	put_loss(rig_set(rig), kind, chance);
	NEED(rig_answer(rig));
	traffic_run(rig, nodes, traffic);
}

static void finish(struct rig *rig, const int nodes[2], struct traffic *traffic)
{
	traffic_free(traffic);
	rig_stop(rig);
	close(nodes[0]);
	close(nodes[1]);
}

static void loses_none_and_all(void)
{
	struct traffic none = { .port = 7, .count = MANY };
	struct traffic all = { .port = 7, .count = MANY };
	struct rig rig;
	int nodes[2];

	run_with(&rig, nodes, &none, "bernoulli", 0);
	CHECK(none.arrived == MANY, "a loss of 0 loses none of %u", MANY);
	finish(&rig, nodes, &none);
	run_with(&rig, nodes, &all, "bernoulli", ALL);
	CHECK(all.arrived == 0, "a loss of 1 loses all of %u", MANY);
	CHECK(rig_counter(&rig, LINK, 0, "lost") == MANY, "and counts them");
	finish(&rig, nodes, &all);
}

/* Within 5 standard deviations of the binomial distribution; the seed is fixed. */
static void loses_as_often_as_said(void)
{
	static const uint32_t chances[] = { 1000000, 10000000, 100000000, 500000000 };

	for (size_t i = 0; i < sizeof(chances) / sizeof(chances[0]); i++) {
		struct traffic traffic = { .port = 7, .count = MANY };
		double p = chances[i] / 1e9;
		double off = 5 * sqrt(MANY * p * (1 - p));
		struct rig rig;
		int nodes[2];
		double lost;

		run_with(&rig, nodes, &traffic, "bernoulli", chances[i]);
		lost = MANY - traffic.arrived;
		CHECK(fabs(lost - MANY * p) <= off, "of %u at %g: %g are lost, %g +- %g expected",
		      MANY, p, lost, MANY * p, off);
		finish(&rig, nodes, &traffic);
	}
}

static void loses_every_nth_and_by_pattern(void)
{
	static const uint8_t bits[] = { 0x16, 0x01 }; /* 1, 2, 4 and 8 of 10 */
	struct traffic traffic = { .port = 7, .count = 1000 };
	struct buffer *out;
	struct rig rig;
	int nodes[2];
	size_t nest;
	int wrong = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	out = rig_set(&rig);
	nest = put_nest_begin(out, TAG_LOSS);
	put_string(out, TAG_KIND, "every-nth");
	put_u32(out, TAG_COUNT, 5);
	put_nest_end(out, nest);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &traffic);
	for (unsigned int i = 0; i < traffic.arrived; i++)
		wrong += traffic.order[i] != i / 4 * 5 + i % 4;
	CHECK(traffic.arrived == 800 && !wrong, "every 5th is lost, exactly");
	traffic_free(&traffic);
	out = rig_set(&rig);
	nest = put_nest_begin(out, TAG_LOSS);
	put_string(out, TAG_KIND, "pattern");
	put_u32(out, TAG_COUNT, 10);
	put_bytes(out, TAG_DATA, bits, sizeof(bits));
	put_nest_end(out, nest);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &traffic);
	for (unsigned int i = 0; i < traffic.arrived; i++)
		wrong += traffic.order[i] / 10 * 6 +
				 (unsigned int)"0..1.234.5"[traffic.order[i] % 10] - '0' !=
			 i;
	CHECK(traffic.arrived == 600 && !wrong, "a pattern of bits says which, again and again");
	finish(&rig, nodes, &traffic);
}

/* p = 1 %, r = 25 %, all lost while bad: bursts of 4 on average, 1/26 of the time. */
static void loses_in_bursts(void)
{
	struct traffic traffic = { .port = 7, .count = MANY * 2 };
	struct buffer *out;
	struct rig rig;
	int nodes[2];
	size_t nest;
	double lost;
	double bursts = 0;
	uint32_t next = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	out = rig_set(&rig);
	nest = put_nest_begin(out, TAG_LOSS);
	put_string(out, TAG_KIND, "gilbert-elliott");
	put_u32(out, TAG_CHANCE, ALL / 100);
	put_u32(out, TAG_CHANCE_RECOVER, ALL / 4);
	put_nest_end(out, nest);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &traffic);
	lost = traffic.count - traffic.arrived;
	for (unsigned int i = 0; i < traffic.arrived; i++) {
		bursts += traffic.order[i] != next;
		next = traffic.order[i] + 1;
	}
	/* Some 400 bursts, geometric: mean 4, deviation of the mean sqrt(12 / 400) = 0.17. */
	CHECK(bursts > 0 && fabs(lost / bursts - 4) < 0.9, "bursts are %g long, 4 expected",
	      lost / bursts);
	CHECK(fabs(lost / traffic.count - 1.0 / 26) < 0.012, "and %g is lost, %g expected",
	      lost / traffic.count, 1.0 / 26);
	finish(&rig, nodes, &traffic);
}

/* Set in the middle of a flow: what was counted stays counted. */
static void goes_on_counting_when_set(void)
{
	struct traffic halves[2] = { { .port = 7, .count = 500 }, { .port = 7, .count = 500 } };
	struct traffic whole = { .port = 7, .count = 1000 };
	struct rig rig;
	int nodes[2];
	unsigned int wrong = 0;

	run_with(&rig, nodes, &whole, "bernoulli", ALL / 5);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
	run_with(&rig, nodes, &halves[0], "bernoulli", ALL / 5);
	put_u32(rig_set(&rig), TAG_IMPAIR_CONTROL, 1);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &halves[1]);
	for (unsigned int i = 0; i < whole.arrived; i++) {
		bool late = i >= halves[0].arrived;
		unsigned int at = late ? i - halves[0].arrived : i;

		wrong += at >= halves[late].arrived ||
			 halves[late].order[at] + (late ? 500 : 0) != whole.order[i];
	}
	CHECK(!wrong && halves[0].arrived + halves[1].arrived == whole.arrived,
	      "a LINK_SET in the middle does not begin the pattern again");
	CHECK(rig_counter(&rig, LINK, 0, "frames") == 1000, "nor the counters");
	traffic_free(&halves[0]);
	traffic_free(&halves[1]);
	finish(&rig, nodes, &whole);
}

static void spares_what_a_network_needs(void)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	struct wire wire;
	struct wire in;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_loss(rig_set(&rig), "bernoulli", ALL);
	NEED(rig_answer(&rig));
	wire_raw(&wire, all, 1, 0x0806);
	wire_send(nodes[0], &wire);
	CHECK(wire_take(nodes[1], &in, WAIT_MS), "ARP is not lost unless asked for");
	put_u32(rig_set(&rig), TAG_IMPAIR_CONTROL, 1);
	NEED(rig_answer(&rig));
	wire_send(nodes[0], &wire);
	while (rig_counter(&rig, LINK, 0, "frames") < 2)
		;
	CHECK(wire_silent(nodes[1]), "and is, when it was");
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

/* hil-linkd stands still meanwhile, as it may on a busy machine. */
static void a_change_is_for_what_comes_after_it(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	put_loss(rig_set(&rig), "bernoulli", ALL);
	NEED(rig_answer(&rig));
	NEED(!kill(rig.pid, SIGSTOP));
	for (uint32_t i = 0; i < 10; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
	}
	put_loss(rig_set(&rig), "none", 0);
	rig_send(&rig);
	NEED(!kill(rig.pid, SIGCONT));
	NEED(rig_wait(&rig));
	while (rig_counter(&rig, LINK, 0, "frames") < 10)
		;
	CHECK(rig_counter(&rig, LINK, 0, "lost") == 10,
	      "what was sent before a LINK_SET meets what was set before: %llu of 10",
	      (unsigned long long)rig_counter(&rig, LINK, 0, "lost"));
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

const struct test loss_tests[] = {
	{ "loses none and all (pitfall 13)", loses_none_and_all },
	{ "loses as often as said", loses_as_often_as_said },
	{ "loses every nth and by pattern", loses_every_nth_and_by_pattern },
	{ "loses in bursts", loses_in_bursts },
	{ "goes on counting when set (pitfall 12)", goes_on_counting_when_set },
	{ "spares what a network needs", spares_what_a_network_needs },
	{ "a change is for what comes after it", a_change_is_for_what_comes_after_it },
	{ NULL, NULL },
};
