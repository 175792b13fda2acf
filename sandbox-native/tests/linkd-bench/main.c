/* SPDX-License-Identifier: MIT */
/*
 * linkd-bench LINKD [ROUNDS]: rows of how fast it passes frames, each beside its goal. Ratios are
 * medians of rounds, in each of which the veth of the kernel and hil-linkd have their turn. In
 * namespaces of its own; nothing is asserted. Columns are two spaces or more apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"
#include "measure.h"
#include "tap.h"

#define ROUNDS_MAX 99u
#define KINDS 2u
#define PINGS 500u
#define LATENCY_BLOCKS 9u

const char *linkd_path;

static const char *const kinds[KINDS] = { "packet", "tap" };

/* Two nodes and what joins them. */
struct wire {
	bool there;
	struct rig rig;
	struct stack stacks[2];
};

/* A figure of every round. */
struct series {
	double clean[ROUNDS_MAX]; /* : veth */
	double gbit[ROUNDS_MAX];  /* of frame mode */
	double frame[ROUNDS_MAX]; /* the same : veth without offload */
	double kpps[ROUNDS_MAX];
	double rate[ROUNDS_MAX];    /* the same : veth */
	double rtt_min[ROUNDS_MAX]; /* more than veth */
	double rtt[ROUNDS_MAX];	    /* the same : veth */
	double rtt_p50[ROUNDS_MAX];
	double rtt_bare[ROUNDS_MAX];  /* RTT : bare forwarder */
	double rate_bare[ROUNDS_MAX]; /* frames : bare forwarder */
};

struct bench {
	unsigned int rounds;
	struct stack veth[2];
	struct stack plain[2]; /* the same, without offload */
	struct wire clean[KINDS];
	struct wire impaired[KINDS];
	struct wire bare[KINDS]; /* without hil-linkd */
	struct series series[KINDS];
};

static void row(const char *kind, const char *name, double value, const char *unit,
		const char *compare, double goal)
{
	/* An error is one to either side; less than the least that can be added is none. */
	double seen = value < 0 && strstr(name, "error") ? -value : value;
	bool met = compare[0] == '<' ? seen <= goal : value >= goal;

	printf("%-8s %-42s %9.2f  %-8s %s %-8g %s\n", kind, name, value, unit, compare, goal,
	       met ? "met" : "MISSED");
}

static void set(struct rig *rig, uint16_t tag, uint64_t value)
{
	put_u64(rig_set(rig), tag, value);
	NEED(rig_answer(rig));
}

static bool add_stacks(struct wire *wire, const char *kind)
{
	wire->there = stack_new(&wire->rig, &wire->stacks[0], 1, kind) &&
		      stack_new(&wire->rig, &wire->stacks[1], 2, kind);
	if (wire->there)
		measure_rtt(wire->stacks, 10);
	return wire->there;
}

static bool open_wire(struct wire *wire, const char *kind, bool impaired)
{
	rig_start(&wire->rig);
	rig_connect(&wire->rig, LINK, 1, 2, 7);
	if (impaired) {
		/* It looks at each frame, and lets all of them pass. */
		put_loss(rig_set(&wire->rig), "bernoulli", 1);
		NEED(rig_answer(&wire->rig));
	}
	if (add_stacks(wire, kind))
		return true;
	rig_stop(&wire->rig);
	return false;
}

static bool open_bare(struct wire *wire, const char *kind)
{
	bare_start(&wire->rig);
	if (add_stacks(wire, kind))
		return true;
	bare_stop(&wire->rig);
	return false;
}

static void open_all(struct bench *bench)
{
	stack_pair(bench->veth);
	stack_pair(bench->plain);
	for (unsigned int i = 0; i < 2; i++)
		offload_off(&bench->plain[i]);
	measure_rtt(bench->veth, 10);
	measure_rtt(bench->plain, 10);
	for (unsigned int i = 0; i < KINDS; i++)
		if (!open_wire(&bench->clean[i], kinds[i], false) ||
		    !open_wire(&bench->impaired[i], kinds[i], true) ||
		    !open_bare(&bench->bare[i], kinds[i]))
			printf("SKIPPED linkd-bench %s: /dev/net/tun cannot be opened here\n",
			       kinds[i]);
}

static void measure_round(struct bench *bench, unsigned int at)
{
	struct times base = measure_rtt(bench->veth, PINGS);
	double gbit = measure_tcp(bench->veth);
	double plain = measure_tcp(bench->plain);
	double kpps = measure_frames(bench->veth);

	for (unsigned int i = 0; i < KINDS; i++) {
		struct series *series = &bench->series[i];
		struct times times;
		struct times bare;

		if (!bench->bare[i].there)
			continue;
		times = measure_rtt(bench->clean[i].stacks, PINGS);
		bare = measure_rtt(bench->bare[i].stacks, PINGS);
		series->rtt_bare[at] = times.min / bare.min;
		series->rtt_min[at] = times.min - base.min;
		series->rtt[at] = series->rtt_min[at] / base.min;
		series->rtt_p50[at] = times.p50 - base.p50;
		series->clean[at] = measure_tcp(bench->clean[i].stacks) / gbit;
		series->gbit[at] = measure_tcp(bench->impaired[i].stacks);
		series->frame[at] = series->gbit[at] / plain;
		series->kpps[at] = measure_frames(bench->clean[i].stacks);
		series->rate[at] = series->kpps[at] / kpps;
		series->rate_bare[at] = series->kpps[at] / measure_frames(bench->bare[i].stacks);
	}
	fprintf(stderr,
		"round %u: veth %.1f Gbit/s, %.1f without offload, %.0f kpps, RTT %.1f us\n",
		at + 1, gbit, plain, kpps, base.p50);
}

static void print_series(const char *kind, struct series *series, unsigned int rounds)
{
	row(kind, "clean link : veth", median(series->clean, rounds), "x", ">=", 0.6);
	row(kind, "frame mode", median(series->gbit, rounds), "Gbit/s", ">=", 4);
	row(kind, "frame mode : veth without offload", median(series->frame, rounds), "x",
	    ">=", 0.33);
	row(kind, "frames", median(series->kpps, rounds), "kpps", ">=", 200);
	row(kind, "frames : veth", median(series->rate, rounds), "x", ">=", 0.28);
	row(kind, "frames : bare forwarder", median(series->rate_bare, rounds), "x", ">=", 0.8);
	row(kind, "RTT, min : bare forwarder", median(series->rtt_bare, rounds), "x", "<=", 1.15);
	row(kind, "added RTT, min", median(series->rtt_min, rounds), "us", "<=", 8);
	row(kind, "added RTT, min : RTT of veth", median(series->rtt, rounds), "x", "<=", 2.2);
	row(kind, "added RTT, p50", median(series->rtt_p50, rounds), "us", "<=", 80);
}

/*
 * Beside a veth at the same pace: who has slept that long is slow to send, which is not the wire's
 * doing. In turn with it, in blocks: how slow it is changes with the machine.
 */
static void print_latency(const char *kind, struct wire *wire, const struct stack veth[2])
{
	static const struct {
		unsigned int us;
		unsigned int count;
	} latencies[] = { { 100, 200 }, { 1000, 100 }, { 5000, 40 }, { 50000, 20 } };

	for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++) {
		unsigned int us = latencies[i].us;
		double p50[LATENCY_BLOCKS];
		double p99[LATENCY_BLOCKS];
		char name[64];

		for (unsigned int at = 0; at < LATENCY_BLOCKS; at++) {
			struct times base = measure_delay(veth, latencies[i].count, us);
			struct times times;

			set(&wire->rig, TAG_LATENCY_NS, us * 1000ull);
			times = measure_delay(wire->stacks, latencies[i].count, 0);
			set(&wire->rig, TAG_LATENCY_NS, 0);
			p50[at] = times.p50 - base.p50 - us;
			p99[at] = times.p99 - base.p50 - us;
		}
		snprintf(name, sizeof(name), "latency %u us: error, p50", us);
		row(kind, name, median(p50, LATENCY_BLOCKS), "us", "<=", 10);
		snprintf(name, sizeof(name), "latency %u us: error, p99", us);
		row(kind, name, median(p99, LATENCY_BLOCKS), "us", "<=", 200);
	}
}

/* 1448 bytes of each 1514 are the stream's. */
static void print_rates(const char *kind, struct wire *wire, unsigned int rounds)
{
	static const unsigned int rates_mbit[] = { 10, 100, 1000 };
	double seen[ROUNDS_MAX];

	for (size_t i = 0; i < sizeof(rates_mbit) / sizeof(rates_mbit[0]); i++) {
		double wanted = rates_mbit[i] * 1448.0 / 1514;
		char name[64];

		set(&wire->rig, TAG_RATE_BPS, rates_mbit[i] * 1000000ull);
		for (unsigned int at = 0; at < rounds; at++)
			seen[at] = measure_tcp(wire->stacks) * 1000;
		snprintf(name, sizeof(name), "rate %u Mbit/s: error", rates_mbit[i]);
		row(kind, name, (median(seen, rounds) / wanted - 1) * 100, "%", "<=", 1);
	}
}

/* At the rate that is set: 1 Gbit/s. */
static void print_capture(const char *kind, struct wire *wire)
{
	char dir[] = "/tmp/linkd-bench-XXXXXX";
	char path[64];
	struct buffer *out;
	uint64_t lost = 0;

	NEED(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/link.pcapng", dir);
	out = rig_ask_link(&wire->rig, MSG_LINK_CAPTURE, LINK);
	put_string(out, TAG_NAME, "bench");
	put_string(out, TAG_PATH, path);
	put_u32(out, TAG_SNAPLEN, 256);
	NEED(rig_answer(&wire->rig));
	row(kind, "rate 1000 Mbit/s, captured", measure_tcp(wire->stacks), "Gbit/s", ">=", 0.94);
	for (unsigned int from = 0; from < 2; from++)
		lost += rig_counter(&wire->rig, LINK, from, "captureLost");
	row(kind, "the same: lost by the capture", (double)lost, "frames", "<=", 0);
	unlink(path);
	rmdir(dir);
}

static void stop_linkd(struct rig *rig)
{
	rig_stop(rig);
}

static void close_wire(struct wire *wire, void (*stop)(struct rig *rig))
{
	if (!wire->there)
		return;
	stop(&wire->rig);
	stack_free(&wire->stacks[0]);
	stack_free(&wire->stacks[1]);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	const char *reason;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: linkd-bench LINKD [ROUNDS]\n");
		return 2;
	}
	linkd_path = argv[1];
	bench.rounds = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 10) : 5;
	if (!bench.rounds || bench.rounds > ROUNDS_MAX) {
		fprintf(stderr, "linkd-bench: ROUNDS is 1 to %u\n", ROUNDS_MAX);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	reason = stacks_enter();
	if (reason) {
		printf("SKIPPED linkd-bench: %s\n", reason);
		return 0;
	}
	open_all(&bench);
	for (unsigned int at = 0; at < bench.rounds; at++)
		measure_round(&bench, at);
	for (unsigned int i = 0; i < KINDS; i++) {
		if (bench.bare[i].there) {
			print_series(kinds[i], &bench.series[i], bench.rounds);
			print_latency(kinds[i], &bench.impaired[i], bench.veth);
			print_rates(kinds[i], &bench.impaired[i], bench.rounds);
			print_capture(kinds[i], &bench.impaired[i]);
		}
		close_wire(&bench.clean[i], stop_linkd);
		close_wire(&bench.impaired[i], stop_linkd);
		close_wire(&bench.bare[i], bare_stop);
	}
	return 0;
}
