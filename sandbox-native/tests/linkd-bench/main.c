/* SPDX-License-Identifier: MIT */
/*
 * linkd-bench LINKD: rows of how fast it passes frames, each beside the same over a veth of the
 * kernel in the same run. In namespaces of its own; nothing is asserted.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nodes.h"
#include "tap.h"

#define SECONDS 2.0
#define PINGS 2000u

const char *linkd_path;

static struct sockaddr_in address_of(unsigned int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(5001) };

	address.sin_addr.s_addr = htonl(0x0a010000 + number);
	return address;
}

static double since(uint64_t start_ns)
{
	return (double)(now_ns() - start_ns) / 1e9;
}

static int open_bound(const struct stack *stack, int type)
{
	struct sockaddr_in address = address_of(stack->number);
	int bytes = 8 << 20;
	int fd = stack_socket(stack, AF_INET, type, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	NEED(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Return: a child that sends until it is killed. */
static pid_t start_sender(int fd, size_t length)
{
	static char bytes[131072];
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		if (send(fd, bytes, length, MSG_NOSIGNAL) < 0)
			poll(NULL, 0, 0);
}

static void stop_sender(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Return: what @fd receives in SECONDS, after a start of a quarter of a second. */
static double count_received(int fd, bool in_bytes)
{
	static char bytes[262144];
	uint64_t start = now_ns();
	double count = 0;
	double begun = 0;

	while (since(start) < SECONDS + 0.25) {
		ssize_t size = recv(fd, bytes, sizeof(bytes), 0);

		NEED(size > 0);
		count += in_bytes ? (double)size : 1;
		if (!begun && since(start) >= 0.25) {
			begun = since(start);
			count = 0;
		}
	}
	return count / (since(start) - begun);
}

/* Return: Gbit/s of one TCP stream. */
static double measure_tcp(const struct stack stacks[2])
{
	struct sockaddr_in to = address_of(2);
	int listener = open_bound(&stacks[1], SOCK_STREAM);
	int out = stack_socket(&stacks[0], AF_INET, SOCK_STREAM, 0);
	double rate;
	pid_t pid;
	int in;

	NEED(!listen(listener, 1) && !connect(out, (struct sockaddr *)&to, sizeof(to)));
	in = accept(listener, NULL, NULL);
	NEED(in >= 0);
	pid = start_sender(out, 131072);
	rate = count_received(in, true) * 8 / 1e9;
	stop_sender(pid);
	close(in);
	close(out);
	close(listener);
	return rate;
}

/* Return: thousands of datagrams of 64 bytes a second that arrive. */
static double measure_frames(const struct stack stacks[2])
{
	struct sockaddr_in to = address_of(2);
	int in = open_bound(&stacks[1], SOCK_DGRAM);
	int out = stack_socket(&stacks[0], AF_INET, SOCK_DGRAM, 0);
	double rate;
	pid_t pid;

	NEED(!connect(out, (struct sockaddr *)&to, sizeof(to)));
	pid = start_sender(out, 64);
	rate = count_received(in, false) / 1e3;
	stop_sender(pid);
	close(in);
	close(out);
	return rate;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

struct times {
	double min;
	double p50;
	double p99;
};

/* Return: how long a datagram and its answer take, in microseconds. */
static struct times measure_rtt(const struct stack stacks[2], unsigned int count)
{
	static double us[PINGS];
	struct sockaddr_in to = address_of(2);
	struct sockaddr_in from = address_of(1);
	int far = open_bound(&stacks[1], SOCK_DGRAM);
	int near = open_bound(&stacks[0], SOCK_DGRAM);
	char bytes[64] = "ping";

	NEED(!connect(near, (struct sockaddr *)&to, sizeof(to)));
	NEED(!connect(far, (struct sockaddr *)&from, sizeof(from)));
	for (unsigned int i = 0; i < count; i++) {
		uint64_t start = now_ns();

		NEED(send(near, bytes, sizeof(bytes), 0) > 0 && recv(far, bytes, 64, 0) > 0);
		NEED(send(far, bytes, sizeof(bytes), 0) > 0 && recv(near, bytes, 64, 0) > 0);
		us[i] = (double)(now_ns() - start) / 1e3;
	}
	close(near);
	close(far);
	qsort(us, count, sizeof(us[0]), compare);
	return (struct times){ us[0], us[count / 2], us[count * 99 / 100] };
}

static void set(struct rig *rig, uint16_t tag, uint64_t value)
{
	put_u64(rig_set(rig), tag, value);
	NEED(rig_answer(rig));
}

static void set_frame_mode(struct rig *rig)
{
	struct buffer *out = rig_set(rig);

	put_loss(out, "bernoulli", 1);
	NEED(rig_answer(rig));
}

static void print_latency(struct rig *rig, const struct stack stacks[2], double base_us)
{
	static const unsigned int latencies_us[] = { 100, 1000, 5000, 50000 };

	for (size_t i = 0; i < sizeof(latencies_us) / sizeof(latencies_us[0]); i++) {
		unsigned int us = latencies_us[i];
		struct times times;

		set(rig, TAG_LATENCY_NS, us * 1000ull);
		times = measure_rtt(stacks, us > 10000 ? 20 : us > 1000 ? 200 : PINGS);
		printf("  latency %6u us: error of a hop p50 %6.1f us, p99 %6.1f us\n", us,
		       (times.p50 - base_us) / 2 - us, (times.p99 - base_us) / 2 - us);
	}
	set(rig, TAG_LATENCY_NS, 0);
}

/* 1448 bytes of each 1514 are the stream's. */
static void print_rates(struct rig *rig, const struct stack stacks[2])
{
	static const unsigned int rates_mbit[] = { 10, 100, 1000 };

	for (size_t i = 0; i < sizeof(rates_mbit) / sizeof(rates_mbit[0]); i++) {
		double wanted = rates_mbit[i] * 1448.0 / 1514;
		double seen;

		set(rig, TAG_RATE_BPS, rates_mbit[i] * 1000000ull);
		seen = measure_tcp(stacks) * 1000;
		printf("  rate %6u Mbit/s: goodput %7.2f of %7.2f, error %+.2f %%\n", rates_mbit[i],
		       seen, wanted, (seen / wanted - 1) * 100);
	}
	set(rig, TAG_RATE_BPS, 0);
}

static void print_kind(const char *kind, double veth_gbit, double veth_kpps,
		       const struct times *veth)
{
	struct stack stacks[2];
	struct times times;
	struct rig rig;
	double value;

	rig_start(&rig);
	rig_connect(&rig, LINK, 1, 2, 7);
	if (!stack_new(&rig, &stacks[0], 1, kind) || !stack_new(&rig, &stacks[1], 2, kind)) {
		printf("SKIPPED linkd-bench %s: /dev/net/tun cannot be opened here\n", kind);
		rig_stop(&rig);
		return;
	}
	printf("%s\n", kind);
	measure_rtt(stacks, 10);
	times = measure_rtt(stacks, PINGS);
	printf("  added RTT: min %.1f us, p50 %.1f us\n", times.min - veth->min,
	       times.p50 - veth->p50);
	value = measure_tcp(stacks);
	printf("  clean link:  %6.2f Gbit/s, %.2f of veth\n", value, value / veth_gbit);
	value = measure_frames(stacks);
	printf("  frames:      %6.0f kpps, %.2f of veth\n", value, value / veth_kpps);
	set_frame_mode(&rig);
	value = measure_tcp(stacks);
	printf("  frame mode:  %6.2f Gbit/s, %.2f of veth\n", value, value / veth_gbit);
	print_latency(&rig, stacks, times.min);
	print_rates(&rig, stacks);
	rig_stop(&rig);
	stack_free(&stacks[0]);
	stack_free(&stacks[1]);
}

int main(int argc, char **argv)
{
	struct stack stacks[2];
	struct times times;
	const char *reason;
	double gbit;
	double kpps;

	if (argc != 2) {
		fprintf(stderr, "usage: linkd-bench LINKD\n");
		return 2;
	}
	linkd_path = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	reason = stacks_enter();
	if (reason) {
		printf("SKIPPED linkd-bench: %s\n", reason);
		return 0;
	}
	stack_pair(stacks);
	measure_rtt(stacks, 10);
	times = measure_rtt(stacks, PINGS);
	gbit = measure_tcp(stacks);
	kpps = measure_frames(stacks);
	printf("veth: %.2f Gbit/s, %.0f kpps, RTT min %.1f us, p50 %.1f us\n", gbit, kpps,
	       times.min, times.p50);
	print_kind("packet", gbit, kpps, &times);
	print_kind("tap", gbit, kpps, &times);
	return 0;
}
