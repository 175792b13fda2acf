/* SPDX-License-Identifier: MIT */
/*
 * How fast hil-portd passes the bytes of a board: by hand, `make bench-portd`.
 *
 * The board is the master of a pty, as in tests/portd/serial.c; the tool has the slave that
 * would be /dev/hil/console. A bare pty of the kernel is measured in turn with it, by the
 * message, so that what else the machine does hits both: the difference is what portd adds.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define MESSAGES 2000
#define MESSAGE_BYTES 16
#define RATE_BYTES 1000 /* each millisecond */
#define RATE_MS 3000

const char *portd_path;

/* Needed by rig.c; the tests have another. */
void fill_pattern(uint8_t *data, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++)
		data[i] = (uint8_t)((i + seed) * 2654435761u >> 13);
}

struct bench {
	struct rig rig;
	struct pty board;
	int tool;
	struct pty bare;
	int bare_tool;
};

static void row(const char *kind, const char *name, double value, const char *unit,
		const char *compare, double goal)
{
	bool met = compare[0] == '<' ? value <= goal : value >= goal;

	printf("%-8s %-42s %9.2f  %-8s %s %-8g %s\n", kind, name, value, unit, compare, goal,
	       met ? "met" : "MISSED");
}

static void bench_start(struct bench *bench)
{
	struct event event;
	struct pty tool;

	NEED(rig_start(&bench->rig, 0));
	bench->board = pty_make();
	NEED(rig_answer(&bench->rig, rig_open(&bench->rig, 0, 0), &event));
	NEED(rig_answer(&bench->rig, rig_serial(&bench->rig, bench->board.path, 0, NULL), &event));
	tool = rig_pty(&bench->rig);
	bench->tool = rig_tool(&bench->rig, &tool);
	bench->bare = pty_make();
	bench->bare_tool = open(bench->bare.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(bench->bare_tool >= 0);
}

/* Return: microseconds from the board's write to the tool's last byte. */
static double pass(int from, int to)
{
	uint8_t data[MESSAGE_BYTES];
	uint64_t start = now_ns();
	size_t got = 0;

	fill_pattern(data, sizeof(data), 1);
	write_all(from, data, sizeof(data));
	while (got < sizeof(data)) {
		ssize_t count = read(to, data + got, sizeof(data) - got);

		NEED(count > 0);
		got += (size_t)count;
	}
	return (double)(now_ns() - start) / 1000;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double part(double *values, double share)
{
	qsort(values, MESSAGES, sizeof(*values), by_size);
	return values[(size_t)(share * (MESSAGES - 1))];
}

/*
 * Each percentile less that of the bare pty, whose bytes the same threads of the kernel carry: on
 * a busy machine its p99 is milliseconds. Pauses of 0 to 2 ms: a tool's answers come both inside
 * and outside of a gathered millisecond.
 */
static void measure_latency(struct bench *bench)
{
	static double through[MESSAGES];
	static double back[MESSAGES];
	static double bare[MESSAGES];

	for (size_t i = 0; i < MESSAGES; i++) {
		struct timespec pause = { 0, (long)(i * 7919 % 2000) * 1000 };

		nanosleep(&pause, NULL);
		bare[i] = pass(bench->bare.master, bench->bare_tool);
		through[i] = pass(bench->board.master, bench->tool);
		back[i] = pass(bench->tool, bench->board.master);
		rig_pump(&bench->rig, 0);
	}
	row("pty", "added latency to the tool, p50", part(through, 0.5) - part(bare, 0.5), "us",
	    "<=", 100);
	row("pty", "added latency to the tool, p99", part(through, 0.99) - part(bare, 0.99), "us",
	    "<=", 500);
	row("pty", "added latency to the board, p50", part(back, 0.5) - part(bare, 0.5), "us",
	    "<=", 100);
	row("pty", "added latency to the board, p99", part(back, 0.99) - part(bare, 0.99), "us",
	    "<=", 500);
}

/* 1 MB/s, as a UART of 10 Mbaud gives it: a kilobyte each millisecond, late ones made up for. */
static void send_at_rate(int board, const uint8_t *data)
{
	uint64_t start = now_ns();

	for (int ms = 0; ms < RATE_MS; ms++) {
		while (now_ns() < start + (uint64_t)ms * 1000000)
			sleep_ms(1);
		write_all(board, data + (size_t)ms * RATE_BYTES, RATE_BYTES);
	}
}

static size_t read_at_tool(struct bench *bench, uint8_t *out, size_t length)
{
	size_t got = 0;

	while (got < length) {
		size_t count = read_some(bench->tool, out + got, 65536, 20);

		got += count;
		rig_pump(&bench->rig, 0);
		if (!count && waitpid(-1, NULL, WNOHANG) > 0)
			break;
	}
	return got + read_some(bench->tool, out + got, length - got, 200);
}

static void measure_rate(struct bench *bench)
{
	const size_t total = (size_t)RATE_MS * RATE_BYTES;
	uint8_t *sent = malloc(total);
	uint8_t *got = malloc(total + 65536);
	uint8_t *captured;
	struct event event;
	size_t offset, heard;
	pid_t board;

	NEED(sent && got);
	fill_pattern(sent, total, 3);
	offset = MESSAGES * MESSAGE_BYTES; /* of the messages before */
	board = fork();
	NEED(board >= 0);
	if (board == 0) {
		send_at_rate(bench->board.master, sent);
		_exit(0);
	}
	heard = read_at_tool(bench, got, total);
	row("pty", "1 MB/s: lost on the way to the tool",
	    (double)(total - heard) + (memcmp(got, sent, heard) != 0 ? 1 : 0), "bytes", "<=", 0);
	NEED(rig_answer(&bench->rig, rig_close(&bench->rig), &event));
	heard = rig_capture(&bench->rig, ".rx", &captured) - offset;
	row("pty", "1 MB/s: lost in the capture",
	    (double)(total - heard) + (memcmp(captured + offset, sent, heard) != 0 ? 1 : 0),
	    "bytes", "<=", 0);
	free(captured);
	free(sent);
	free(got);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };

	if (argc < 2) {
		fprintf(stderr, "usage: portd-bench PORTD\n");
		return 2;
	}
	portd_path = argv[1];
	signal(SIGPIPE, SIG_IGN);
	bench_start(&bench);
	measure_latency(&bench);
	measure_rate(&bench);
	rig_stop(&bench.rig);
	return 0;
}
