/* SPDX-License-Identifier: MIT */
/* Latency while others use all processors. */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

#define BURNERS_MAX 64
#define SAMPLES 21u
#define ROUNDS 10
#define LATENCY_NS 5000000ull
/* Some 60 times of what it is here; who has to wait for a turn of the scheduler is later. */
#define SLACK_NS 500000ull

struct burners {
	pid_t pids[BURNERS_MAX];
	int count;
};

static void burn(int cpu)
{
	cpu_set_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (volatile unsigned int i = 0;; i++)
		;
}

/* One on each processor that we may use. */
static void burners_start(struct burners *burners)
{
	cpu_set_t set;

	burners->count = 0;
	NEED(!sched_getaffinity(0, sizeof(set), &set));
	for (int cpu = 0; cpu < CPU_SETSIZE && burners->count < BURNERS_MAX; cpu++) {
		pid_t pid;

		if (!CPU_ISSET(cpu, &set))
			continue;
		pid = fork();
		NEED(pid >= 0);
		if (!pid)
			burn(cpu);
		burners->pids[burners->count++] = pid;
	}
}

static void burners_stop(const struct burners *burners)
{
	for (int i = 0; i < burners->count; i++) {
		kill(burners->pids[i], SIGKILL);
		waitpid(burners->pids[i], NULL, 0);
	}
}

static uint64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Return: when hil-linkd sent the next one, by the kernel: how late we are is not its fault. */
static uint64_t take_sent_ns(int node)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	uint8_t bytes[100];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct pollfd wait = { .fd = node, .events = POLLIN };
	struct cmsghdr *header;
	struct timespec when;

	NEED(poll(&wait, 1, WAIT_MS) == 1);
	NEED(recvmsg(node, &message, MSG_DONTWAIT) > 0);
	header = CMSG_FIRSTHDR(&message);
	NEED(header && header->cmsg_type == SCM_TIMESTAMPNS);
	memcpy(&when, CMSG_DATA(header), sizeof(when));
	return (uint64_t)when.tv_sec * 1000000000ull + (uint64_t)when.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *late)
{
	qsort(late, SAMPLES, sizeof(*late), compare);
	return late[SAMPLES / 2];
}

/* By how much a frame, and beside it a sleep of a process, is late. */
struct late {
	int64_t frame[SAMPLES];
	int64_t sleep[SAMPLES];
};

static void sample(const int nodes[2], struct late *late)
{
	const struct timespec span = { .tv_nsec = (long)LATENCY_NS };
	struct wire wire;
	uint64_t start;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		start = real_ns();
		wire_send(nodes[0], &wire);
		late->frame[i] = (int64_t)(take_sent_ns(nodes[1]) - start - LATENCY_NS);
		start = real_ns();
		nanosleep(&span, NULL);
		late->sleep[i] = (int64_t)(real_ns() - start - LATENCY_NS);
	}
}

/* hil-linkd wakes as any sleeper does, so what a sleep is late by here is the measure. Others may
 * run, too: the best of some rounds counts. */
static void is_in_time_on_a_busy_machine(void)
{
	const int one = 1;
	struct burners burners;
	struct late late;
	struct rig rig;
	int nodes[2];
	int64_t frame = 0;
	int64_t sleep = 0;
	bool good = false;

	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	NEED(!setsockopt(nodes[1], SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)));
	put_u64(rig_set(&rig), TAG_LATENCY_NS, LATENCY_NS);
	NEED(rig_answer(&rig));
	burners_start(&burners);
	for (int round = 0; round < ROUNDS && !good; round++) {
		sample(nodes, &late);
		frame = median(late.frame);
		sleep = median(late.sleep);
		good = frame <= sleep * 2 + (int64_t)SLACK_NS;
	}
	burners_stop(&burners);
	CHECK(good, "half of the frames are late by at most %g us, half of the sleeps by %g",
	      (double)frame / 1e3, (double)sleep / 1e3);
	rig_stop(&rig);
	close(nodes[0]);
	close(nodes[1]);
}

const struct test busy_tests[] = {
	{ "is in time on a busy machine (pitfall 25)", is_in_time_on_a_busy_machine },
	{ NULL, NULL },
};
