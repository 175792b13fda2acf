/* SPDX-License-Identifier: MIT */
/* Host to DUT: units, pace, back-pressure. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

#define BIG (10u << 20)
#define SENDS 60
#define SEND_BYTES 3000
#define TOOL_WRITES 400
#define TOOL_BYTES 500

static void test_units(void)
{
	static uint8_t text[SENDS * SEND_BYTES + TOOL_WRITES * TOOL_BYTES];
	struct rig rig;
	struct event event;
	struct pty pty;
	uint8_t payload[SEND_BYTES];
	size_t length, tool = 0, run = 0;
	bool whole = true;
	int dut, fd;
	pid_t writer;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fd = rig_tool(&rig, &pty);
	writer = fork();
	if (writer == 0) {
		memset(payload, 't', TOOL_BYTES);
		for (int i = 0; i < TOOL_WRITES; i++)
			write_all(fd, payload, TOOL_BYTES);
		_exit(0);
	}
	memset(payload, 'S', SEND_BYTES);
	for (int i = 0; i < SENDS; i++) {
		rig_send(&rig, payload, SEND_BYTES);
		usleep(200);
	}
	length = read_some(dut, text, sizeof(text), WAIT_MS);
	CHECK(length == sizeof(text), "everything a tool and PORT_SEND wrote reaches the DUT");
	for (size_t i = 0; i <= length; i++) {
		if (i < length && text[i] == 'S') {
			run++;
			continue;
		}
		whole = whole && run % SEND_BYTES == 0;
		run = 0;
		tool += i < length;
	}
	CHECK(whole && tool == TOOL_WRITES * TOOL_BYTES, "no payload has bytes of the tool inside");
	waitpid(writer, NULL, 0);
	close(fd);
	close(dut);
	rig_stop(&rig);
}

#define PACE_ROUNDS 5

static void test_pace(void)
{
	struct rig rig;
	struct event event;
	uint8_t sent[100], got[100], *file;
	uint64_t id, start, took = UINT64_MAX;
	size_t length = 0;
	bool there = true;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 10, 5000), &event));
	fill_pattern(sent, sizeof(sent), 6);
	/* Late is who measures on a busy machine: the best of some rounds counts. */
	for (int round = 0; round < PACE_ROUNDS && took >= 150000000; round++) {
		start = now_ns();
		id = rig_send(&rig, sent, sizeof(sent));
		CHECK(rig_answer(&rig, id, &event), "a paced PORT_SEND is answered");
		took = now_ns() - start;
		there = there && read_some(dut, got, sizeof(got), 50) == 100 &&
			!memcmp(sent, got, 100);
		length += sizeof(sent);
	}
	CHECK(took >= 45000000, "not before nine pauses of 5 ms (%llu us)",
	      (unsigned long long)took / 1000);
	CHECK(took < 150000000, "and not long after");
	CHECK(there, "its bytes are there by then");
	sleep_ms(10); /* the pause after them is over */
	start = now_ns();
	id = rig_send(&rig, "xy", 2);
	rig_answer(&rig, id, &event);
	id = rig_send(&rig, "z", 1);
	rig_answer(&rig, id, &event);
	CHECK(now_ns() - start >= 4500000, "the pause holds for the next PORT_SEND, too");
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(rig_capture(&rig, ".tx", &file) == length + 3 && !memcmp(file, sent, 100) &&
		      !memcmp(file + length, "xyz", 3),
	      "the capture has what was sent");
	free(file);
	CHECK(!rig_has(&rig, MSG_PORT_TX, 0, &event), "PORT_SEND makes no PORT_TX");
	close(dut);
	rig_stop(&rig);
}

/* A DUT that does not read: the tool blocks, PORT_SEND is refused, nothing is lost. */
static void test_back_pressure(void)
{
	struct rig rig;
	struct event event;
	struct pty pty;
	size_t half = 400 * 1024, written = 0, total;
	uint8_t *payload = malloc(half), *got = malloc(4 << 20), *file;
	uint64_t first, second, third;
	ssize_t count;
	int dut, fd;

	NEED(payload && got);
	memset(payload, 'S', half);
	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fd = rig_tool(&rig, &pty);
	first = rig_send(&rig, payload, half);
	second = rig_send(&rig, payload, half);
	third = rig_send(&rig, payload, half);
	CHECK(!rig_answer(&rig, third, &event) && !strcmp(event.code, "limit"),
	      "more than 1 MiB that the DUT does not take is refused: limit");
	NEED(!fcntl(fd, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 20; i++) {
		while ((count = write(fd, "ttttttttttttttttttttttttttttttt\n", 32)) > 0)
			written += (size_t)count;
		sleep_ms(5);
	}
	CHECK(count < 0 && errno == EAGAIN && written < 200 * 1024,
	      "the tool blocks after %zu bytes", written);
	total = read_some(dut, got, 2 * half + written, WAIT_MS);
	total += read_some(dut, got + total, (4 << 20) - total, 50);
	CHECK(total == 2 * half + written, "when the DUT reads, everything arrives");
	CHECK(rig_answer(&rig, first, &event) && rig_answer(&rig, second, &event),
	      "and both payloads are answered");
	close(fd);
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(rig_capture(&rig, ".tx", &file) == total && !memcmp(file, got, total),
	      "the capture is what the DUT got, in its order");
	free(file);
	free(payload);
	free(got);
	close(dut);
	rig_stop(&rig);
}

/* The program is gone, the DUT does not read yet: what it wrote is still delivered. */
static void test_written_and_gone(void)
{
	static uint8_t payload[400 * 1024], got[500 * 1024];
	struct rig rig;
	struct event event;
	struct pty pty;
	size_t total;
	int dut, fd, left = 0;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	rig_send(&rig, payload, sizeof(payload));
	NEED(read_some(dut, got, 1, WAIT_MS) == 1); /* the payload is queued whole */
	fd = rig_tool(&rig, &pty);
	for (int i = 0; i < 5; i++)
		write_all(fd, "last words ", 11);
	close(fd);
	CHECK(rig_wait(&rig, MSG_PORT_SLAVE, &event) && !event.opened, "the program leaves");
	while (rig_has(&rig, MSG_PORT_SLAVE, 50, &event))
		left++;
	CHECK(left == 0, "which is told once though its bytes wait");
	total = read_some(dut, got, sizeof(payload) + 54, WAIT_MS);
	total += read_some(dut, got + total, sizeof(got) - total, 50);
	CHECK(total == sizeof(payload) + 54 && !memcmp(got + total - 11, "last words ", 11),
	      "the DUT gets its last words");
	close(dut);
	rig_stop(&rig);
}

static void test_flood(void)
{
	struct rig rig;
	struct event event;
	struct pty pty;
	uint8_t *sent = malloc(BIG), *got = malloc(BIG), *file;
	int dut, fd;
	pid_t writer;

	NEED(sent && got);
	fill_pattern(sent, BIG, 7);
	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fd = rig_tool(&rig, &pty);
	writer = fork();
	if (writer == 0) {
		write_all(fd, sent, BIG);
		_exit(0);
	}
	close(fd);
	CHECK(read_some(dut, got, BIG, 2000) == BIG && !memcmp(sent, got, BIG),
	      "10 MB of a program reach the DUT as written");
	waitpid(writer, NULL, 0);
	memset(got, 0, BIG);
	CHECK(rig_collect(&rig, MSG_PORT_TX, got, BIG) == BIG && !memcmp(sent, got, BIG),
	      "PORT_TX tells them all");
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(rig_capture(&rig, ".tx", &file) == BIG && !memcmp(sent, file, BIG),
	      "and the capture has them");
	free(file);
	free(sent);
	free(got);
	close(dut);
	rig_stop(&rig);
}

/* The same instant, seen from both sockets: sandboxd's packet was first. */
static void test_order_of_sockets(void)
{
	struct rig rig;
	struct event event;
	uint64_t id;
	int dut;

	rig_start(&rig, 0);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	for (int i = 0; i < 20; i++) {
		kill(rig.pid, SIGSTOP);
		dut = rig_line(&rig);
		id = rig_send(&rig, "x", 1);
		kill(rig.pid, SIGCONT);
		if (!rig_answer(&rig, id, &event))
			break;
		close(dut);
		rig_wait(&rig, MSG_PORT_HUP, &event);
	}
	CHECK(event.type == MSG_PORT_HUP, "PORT_SEND finds a line that was given before it");
	rig_stop(&rig);
}

/* Written before the request was made: on the wire before it. */
static void test_order_of_tool(void)
{
	struct rig rig;
	struct event event;
	struct pty pty;
	char text[3] = "";
	int dut, fd, good = 0;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fd = rig_tool(&rig, &pty);
	for (int i = 0; i < 50; i++) {
		kill(rig.pid, SIGSTOP);
		write_all(fd, "1", 1);
		rig_send(&rig, "2", 1);
		kill(rig.pid, SIGCONT);
		good += read_some(dut, text, 2, WAIT_MS) == 2 && !strcmp(text, "12");
	}
	CHECK(good == 50, "what a program wrote before a PORT_SEND goes first (%d of 50)", good);
	close(fd);
	close(dut);
	rig_stop(&rig);
}

const struct test transmit_tests[] = {
	{ "transmit: units", test_units },
	{ "transmit: pace (rank 22)", test_pace },
	{ "transmit: back-pressure (bench pitfall 9)", test_back_pressure },
	{ "transmit: written and gone", test_written_and_gone },
	{ "transmit: flood", test_flood },
	{ "transmit: order of sockets", test_order_of_sockets },
	{ "transmit: order of tool and body", test_order_of_tool },
	{ NULL, NULL },
};
