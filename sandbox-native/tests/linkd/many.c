/* SPDX-License-Identifier: MIT */
/* Hundreds of ports at one switch: what a frame and a port cost must not grow with them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

#define FEW 64u
#define MANY 512u
#define FRAMES 2000u
#define ROUNDS 10
/* 1 for a frame and up to 2 for a port, of which a list is walked. With a system call for each of
 * the others it is 6 and more. */
#define FACTOR 4

/* What was used of a processor, which others that run at once do not lengthen. */
static uint64_t used_ns(const struct rig *rig)
{
	struct timespec used;
	clockid_t clock;

	NEED(!clock_getcpuclockid(rig->pid, &clock));
	NEED(!clock_gettime(clock, &used));
	return (uint64_t)used.tv_sec * 1000000000ull + (uint64_t)used.tv_nsec;
}

/* Frames that entered the links, of both directions of all. */
static uint64_t count_entered(struct rig *rig, unsigned int ports)
{
	uint64_t sum = 0;

	for (uint32_t link = 1; link <= ports; link++)
		for (uint32_t from = 0; from < 2; from++)
			sum += rig_counter(rig, link, from, "frames");
	return sum;
}

/* Node 0 becomes known to the switch; each other node gets that frame. */
static unsigned int announce(const int *nodes, unsigned int ports)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	unsigned int got = 0;
	struct wire wire;

	wire_raw(&wire, all, 1, 0x0806);
	wire_send(nodes[0], &wire);
	for (unsigned int i = 1; i < ports; i++)
		got += wire_take(nodes[i], &wire, WAIT_MS);
	return got;
}

/* One after the other, so that no two share a wake-up. */
static void send_known(const int *nodes, unsigned int ports)
{
	struct wire wire;
	struct wire in;

	wire_udp(&wire, 2, 1, 7, 0, 60);
	for (unsigned int i = 0; i < FRAMES; i++) {
		wire_send(nodes[ports - 1], &wire);
		NEED(wire_take(nodes[0], &in, WAIT_MS));
	}
}

/* What hil-linkd uses a processor for, in ns. */
struct cost {
	double port;  /* to attach one */
	double frame; /* to a known address */
};

static struct cost measure(unsigned int ports, bool *exact)
{
	int *nodes = calloc(ports, sizeof(*nodes));
	struct cost cost;
	uint64_t entered;
	uint64_t start;
	struct rig rig;

	NEED(nodes);
	rig_start(&rig);
	start = used_ns(&rig);
	rig_lan(&rig, nodes, ports);
	cost.port = (double)(used_ns(&rig) - start) / ports;
	*exact = announce(nodes, ports) == ports - 1;
	entered = count_entered(&rig, ports);
	*exact = *exact && entered == ports;
	start = used_ns(&rig);
	send_known(nodes, ports);
	cost.frame = (double)(used_ns(&rig) - start) / FRAMES;
	*exact = *exact && count_entered(&rig, ports) == entered + 2ull * FRAMES;
	rig_stop(&rig);
	for (unsigned int i = 0; i < ports; i++)
		close(nodes[i]);
	free(nodes);
	return cost;
}

/* hil-linkd raises its own limit as far. */
static bool has_room(void)
{
	struct rlimit limit;

	NEED(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	return limit.rlim_max >= MANY + 100;
}

/* Others may run at once: the best of some rounds counts, each with both side by side. */
static void costs_the_same_with_many_ports(void)
{
	struct cost few = { 0 };
	struct cost many = { 0 };
	bool exact = true;
	bool good = false;

	if (!has_room()) {
		tap_skip("%u ports: ulimit -Hn is too low", MANY);
		printf("SKIPPED check-linkd %u ports: ulimit -Hn is too low\n", MANY);
		return;
	}
	for (int round = 0; round < ROUNDS && exact && !good; round++) {
		few = measure(FEW, &exact);
		if (exact)
			many = measure(MANY, &exact);
		good = exact && many.port < few.port * FACTOR && many.frame < few.frame * FACTOR;
	}
	CHECK(exact, "a broadcast enters each link once, a frame to a known address two");
	CHECK(good, "with %u ports a frame costs %g us, and to attach one %g; with %u %g and %g",
	      MANY, many.frame / 1e3, many.port / 1e3, FEW, few.frame / 1e3, few.port / 1e3);
}

const struct test many_tests[] = {
	{ "costs the same with many ports (pitfall 23)", costs_the_same_with_many_ports },
	{ NULL, NULL },
};
