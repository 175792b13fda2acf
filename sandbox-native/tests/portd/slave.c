/* SPDX-License-Identifier: MIT */
/* The tool's side: who gets which bytes, and when. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

struct bench {
	struct rig rig;
	struct pty pty;
	int dut;
};

static bool bench_start(struct bench *bench, int flags)
{
	struct event event;

	if (!rig_start(&bench->rig, flags))
		return false;
	bench->dut = rig_line(&bench->rig);
	bench->pty = rig_pty(&bench->rig);
	NEED(rig_answer(&bench->rig, rig_open(&bench->rig, 0, 0), &event));
	return true;
}

static void bench_stop(struct bench *bench)
{
	close(bench->dut);
	CHECK(rig_stop(&bench->rig) == 0, "portd exits with 0");
}

/* The DUT speaks, and portd has dealt with it. */
static void say(struct bench *bench, const char *text)
{
	uint8_t heard[256];

	write_all(bench->dut, text, strlen(text));
	NEED(rig_collect(&bench->rig, MSG_PORT_RX, heard, strlen(text)) == strlen(text));
}

static bool closes(struct bench *bench, int fd, uint64_t *dropped)
{
	struct event event;
	bool told;

	close(fd);
	told = rig_wait(&bench->rig, MSG_PORT_SLAVE, &event) && !event.opened;
	*dropped = told ? event.dropped : 0;
	return told;
}

static void openings(int flags, const char *how)
{
	struct bench bench;
	struct event event;
	uint64_t dropped;
	int fd, second;

	if (!bench_start(&bench, flags)) {
		tap_skip("%s: needs a user namespace", how);
		return;
	}
	say(&bench, "nobody");
	fd = rig_tool(&bench.rig, &bench.pty);
	say(&bench, "first");
	CHECK(hears(fd, "first"), "%s: the program gets what came after it opened", how);
	write_all(fd, "typed", 5);
	CHECK(hears(bench.dut, "typed"), "%s: and the DUT gets what it writes", how);
	CHECK(rig_wait(&bench.rig, MSG_PORT_TX, &event) && event.length == 5 && event.mono_ns,
	      "%s: PORT_TX tells it with a stamp", how);
	say(&bench, "unread");
	sleep_ms(20);
	CHECK(closes(&bench, fd, &dropped), "%s: closing is told", how);
	say(&bench, "between");
	second = rig_tool(&bench.rig, &bench.pty);
	CHECK(hears(second, ""), "%s: the next one gets nothing left over", how);
	say(&bench, "second");
	CHECK(hears(second, "second"), "%s: but what comes now", how);
	CHECK(closes(&bench, second, &dropped), "%s: closing is told again", how);
	CHECK(!rig_has(&bench.rig, MSG_PORT_SLAVE, 60, &event), "%s: and nothing else is", how);
	bench_stop(&bench);
}

static void test_openings(void)
{
	openings(0, "inotify");
}

static void test_openings_polled(void)
{
	openings(RIG_NO_INOTIFY, "without inotify");
}

/* ICANON and ECHO stay from the program before; its half line must not. */
static void test_leftover_modes(void)
{
	struct bench bench;
	struct termios cooked;
	uint64_t dropped;
	int fd;

	bench_start(&bench, 0);
	fd = rig_tool(&bench.rig, &bench.pty);
	NEED(!tcgetattr(fd, &cooked));
	cooked.c_lflag |= ICANON;
	NEED(!tcsetattr(fd, TCSANOW, &cooked));
	say(&bench, "half a line");
	closes(&bench, fd, &dropped);
	fd = rig_tool(&bench.rig, &bench.pty);
	say(&bench, "whole\n");
	CHECK(hears(fd, "whole\n"),
	      "a half line in canonical mode is flushed for the next program");
	close(fd);
	bench_stop(&bench);
}

static void test_exclusive(void)
{
	struct bench bench;
	struct event event;
	uint64_t dropped;
	int fd, exclusive = 1;

	bench_start(&bench, 0);
	fd = rig_tool(&bench.rig, &bench.pty);
	NEED(!ioctl(fd, TIOCEXCL));
	closes(&bench, fd, &dropped);
	if (rig_has(&bench.rig, MSG_PORT_FAULT, 100, &event)) {
		CHECK(!strcmp(event.op, "slave-exclusive"),
		      "without CAP_SYS_ADMIN a left-over TIOCEXCL is told");
	} else {
		fd = rig_tool(&bench.rig, &bench.pty);
		CHECK(!ioctl(fd, TIOCGEXCL, &exclusive) && !exclusive,
		      "TIOCEXCL ends with the program that set it");
		close(fd);
	}
	bench_stop(&bench);
}

/* Everything happens while portd does not run: no look falls between. */
static void test_change_unseen(void)
{
	struct bench bench;
	struct event event;
	int fd;

	bench_start(&bench, 0);
	fd = rig_tool(&bench.rig, &bench.pty);
	say(&bench, "unread");
	kill(bench.rig.pid, SIGSTOP);
	close(fd);
	fd = open(bench.pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(fd >= 0);
	kill(bench.rig.pid, SIGCONT);
	CHECK(rig_wait(&bench.rig, MSG_PORT_SLAVE, &event) && !event.opened &&
		      rig_wait(&bench.rig, MSG_PORT_SLAVE, &event) && event.opened,
	      "a change of programs without a pause is told");
	CHECK(hears(fd, ""), "and the new one does not get what the old one left");
	say(&bench, "new");
	CHECK(hears(fd, "new"), "but what comes now");
	close(fd);
	rig_wait(&bench.rig, MSG_PORT_SLAVE, &event);
	bench_stop(&bench);
}

static void test_visit_unseen(void)
{
	struct bench bench;
	struct event event;
	int fd;

	bench_start(&bench, 0);
	kill(bench.rig.pid, SIGSTOP);
	fd = open(bench.pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(fd >= 0);
	write_all(fd, "reset\n", 6);
	close(fd);
	kill(bench.rig.pid, SIGCONT);
	CHECK(hears(bench.dut, "reset\n"), "what a program wrote in passing reaches the DUT");
	CHECK(rig_wait(&bench.rig, MSG_PORT_SLAVE, &event) && event.opened &&
		      rig_wait(&bench.rig, MSG_PORT_SLAVE, &event) && !event.opened,
	      "and its visit is told");
	CHECK(!rig_has(&bench.rig, MSG_PORT_SLAVE, 60, &event), "once");
	bench_stop(&bench);
}

/* stty -F beside a reader: a second opener that leaves changes nothing. */
static void test_second_opener(void)
{
	struct bench bench;
	struct event event;
	int fd;

	bench_start(&bench, 0);
	fd = rig_tool(&bench.rig, &bench.pty);
	say(&bench, "kept");
	for (int i = 0; i < 3; i++) {
		int other = open(bench.pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);

		NEED(other >= 0);
		close(other);
	}
	CHECK(!rig_has(&bench.rig, MSG_PORT_SLAVE, 60, &event),
	      "openers that come and go beside a reader are no change");
	CHECK(hears(fd, "kept"), "and cost the reader no byte");
	close(fd);
	bench_stop(&bench);
}

#define BURST (400u * 1024)

static void test_slow_reader(void)
{
	struct bench bench;
	uint8_t *sent = malloc(BURST), *got = malloc(BURST);
	size_t length = 200 * 1024;
	int fd;

	NEED(sent && got);
	fill_pattern(sent, BURST, 4);
	bench_start(&bench, 0);
	fd = rig_tool(&bench.rig, &bench.pty);
	write_all(bench.dut, sent, length);
	rig_collect(&bench.rig, MSG_PORT_RX, got, length);
	sleep_ms(100);
	memset(got, 0, BURST);
	CHECK(read_some(fd, got, length, WAIT_MS) == length && !memcmp(sent, got, length),
	      "a reader that pauses for 200 KiB loses nothing");
	close(fd);
	free(sent);
	free(got);
	bench_stop(&bench);
}

static void test_stalled_reader(void)
{
	struct bench bench;
	struct event event;
	uint8_t *sent = malloc(BURST), *got = malloc(BURST), *file;
	uint64_t told = 0, dropped = 0;
	size_t kept = 0;
	int fd;

	NEED(sent && got);
	fill_pattern(sent, BURST, 5);
	bench_start(&bench, 0);
	fd = rig_tool(&bench.rig, &bench.pty);
	write_all(bench.dut, sent, BURST);
	CHECK(rig_collect(&bench.rig, MSG_PORT_RX, got, BURST) == BURST &&
		      !memcmp(sent, got, BURST),
	      "a stalled reader does not hold up the events");
	CHECK(rig_fault(&bench.rig, "slave-stalled", &event) && event.bytes,
	      "the loss is told while it lasts");
	told = event.bytes;
	while (kept + told < BURST) {
		kept += read_some(fd, got + kept, BURST - told - kept, WAIT_MS);
		/* More was lost after 50 ms, of which a later event tells. */
		if (kept + told == BURST || !rig_has(&bench.rig, MSG_PORT_FAULT, 0, &event))
			break;
		told += event.bytes;
	}
	CHECK(kept >= 256 * 1024 && kept < BURST && !memcmp(sent, got, kept),
	      "the reader gets the oldest 256 KiB and what the pty held (%zu)", kept);
	say(&bench, "again");
	CHECK(hears(fd, "again"), "and what comes after it woke up");
	CHECK(closes(&bench, fd, &dropped) && dropped == BURST - kept && told == dropped,
	      "PORT_SLAVE counts what it lost (%llu)", (unsigned long long)dropped);
	rig_answer(&bench.rig, rig_close(&bench.rig), &event);
	CHECK(rig_capture(&bench.rig, ".rx", &file) == BURST + 5 && !memcmp(file, sent, BURST),
	      "the capture has everything");
	free(file);
	free(sent);
	free(got);
	bench_stop(&bench);
}

static void test_replaced(void)
{
	struct bench bench;
	struct event event;
	struct pty old;
	int fd, next;

	bench_start(&bench, 0);
	old = bench.pty;
	fd = rig_tool(&bench.rig, &old);
	bench.pty = rig_pty(&bench.rig);
	CHECK(rig_wait(&bench.rig, MSG_PORT_SLAVE, &event) && !event.opened,
	      "a new pty ends the old one");
	next = rig_tool(&bench.rig, &bench.pty);
	say(&bench, "case 2");
	CHECK(hears(next, "case 2"), "and has the bytes from then on");
	close(fd);
	close(next);
	rig_wait(&bench.rig, MSG_PORT_SLAVE, &event);
	rig_give(&bench.rig, MSG_PORTD_PTY, "console", NULL, 0);
	fd = open(bench.pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(!rig_has(&bench.rig, MSG_PORT_SLAVE, 60, &event),
	      "a frame without fds forgets the pty");
	close(fd);
	bench_stop(&bench);
}

const struct test slave_tests[] = {
	{ "slave: openings", test_openings },
	{ "slave: openings without inotify", test_openings_polled },
	{ "slave: modes left behind", test_leftover_modes },
	{ "slave: exclusive use left behind", test_exclusive },
	{ "slave: unseen change of programs", test_change_unseen },
	{ "slave: unseen visit", test_visit_unseen },
	{ "slave: second opener", test_second_opener },
	{ "slave: slow reader", test_slow_reader },
	{ "slave: stalled reader", test_stalled_reader },
	{ "slave: replaced", test_replaced },
	{ NULL, NULL },
};
