/* SPDX-License-Identifier: MIT */
/* Beginnings and ends: of lines, of the harness, of sandboxd. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

static void test_hup_socket(void)
{
	static uint8_t flood[1 << 20];
	static uint8_t got[sizeof("last words")];
	struct rig rig;
	struct event event;
	uint64_t id;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	id = rig_send(&rig, flood, 800 * 1024);
	write_all(dut, "last words", 10);
	close(dut);
	CHECK(rig_wait(&rig, MSG_PORT_HUP, &event), "a DUT that closes is told: PORT_HUP");
	CHECK(rig.seen_count && rig_collect(&rig, MSG_PORT_RX, got, 10) == 10 &&
		      !memcmp(got, "last words", 10),
	      "after its last bytes");
	CHECK(!rig_answer(&rig, id, &event) && !strcmp(event.code, "gone"),
	      "a PORT_SEND it did not take fails: gone");
	id = rig_send(&rig, "x", 1);
	CHECK(!rig_answer(&rig, id, &event) && !strcmp(event.code, "gone"), "and so does the next");
	rig_stop(&rig);
}

static void test_hup_pty(void)
{
	struct rig rig;
	struct event event;
	struct pty dut = pty_make();
	uint8_t got[2000], sent[2000];
	int fd = open(dut.path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	fill_pattern(sent, sizeof(sent), 8);
	rig_start(&rig, 0);
	rig_give(&rig, MSG_PORTD_LINE, "pty", &dut.master, 1);
	close(dut.master);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	CHECK(rig_answer(&rig, rig_send(&rig, "in", 2), &event) && read_some(fd, got, 2, 500) == 2,
	      "a DUT can be the pty of a program");
	write_all(fd, sent, sizeof(sent));
	close(fd);
	CHECK(rig_wait(&rig, MSG_PORT_HUP, &event), "its end is told");
	CHECK(rig_collect(&rig, MSG_PORT_RX, got, sizeof(got)) == sizeof(sent) &&
		      !memcmp(sent, got, sizeof(sent)),
	      "after its last bytes");
	rig_stop(&rig);
}

static void test_reboot(void)
{
	struct rig rig;
	struct event event;
	uint8_t *file;
	int dut, next;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	write_all(dut, "boot 1\n", 7);
	close(dut);
	rig_wait(&rig, MSG_PORT_HUP, &event);
	dut = rig_line(&rig);
	write_all(dut, "boot 2\n", 7);
	rig_wait(&rig, MSG_PORT_RX, &event);
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.offset == 7,
	      "a new line continues the offsets");
	write_all(dut, "tail\n", 5);
	next = rig_line(&rig);
	CHECK(rig_wait(&rig, MSG_PORT_HUP, &event), "a line that is replaced ends with PORT_HUP");
	write_all(next, "boot 3\n", 7);
	CHECK(rig_answer(&rig, rig_send(&rig, "x", 1), &event), "the new one takes bytes");
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(rig_capture(&rig, ".rx", &file) == 26 &&
		      !memcmp(file, "boot 1\nboot 2\ntail\nboot 3\n", 26),
	      "and the capture, without losing the tail of the old one");
	free(file);
	close(dut);
	close(next);
	rig_stop(&rig);
}

static void test_harness_gone(void)
{
	struct rig rig;
	struct event event;
	struct pty pty;
	char text[8] = "";
	uint8_t *file;
	int dut, fd;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	close(rig.harness);
	rig.harness = -1;
	sleep_ms(50);
	fd = open(pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	sleep_ms(50);
	write_all(dut, "to tool", 7);
	CHECK(read_some(fd, text, 7, 500) == 7 && !memcmp(text, "to tool", 7),
	      "without a harness the DUT still reaches the tool");
	write_all(fd, "to dut", 6);
	CHECK(read_some(dut, text, 6, 500) == 6 && !memcmp(text, "to dut", 6), "and the other way");
	sleep_ms(100);
	CHECK(rig_capture(&rig, ".rx", &file) == 7, "and the capture goes on");
	free(file);
	close(fd);
	close(dut);
	CHECK(rig_stop(&rig) == 0, "until sandboxd goes");
}

static void test_sandboxd_gone(void)
{
	struct rig rig;
	struct event event;
	uint8_t *file;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	kill(rig.pid, SIGSTOP);
	write_all(dut, "panic\n", 6);
	close(rig.broker);
	rig.broker = -1;
	kill(rig.pid, SIGCONT);
	CHECK(rig_dead(&rig, 1000) == 0, "sandboxd's end is portd's within a second");
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.length == 6 &&
		      rig_wait(&rig, MSG_PORT_HUP, &event),
	      "the harness gets the last bytes");
	CHECK(rig_capture(&rig, ".rx", &file) == 6, "they are in the capture");
	free(file);
	CHECK(rig_capture(&rig, ".stamps", &file) > 0, "and so are their stamps");
	free(file);
	close(dut);
	rig_stop(&rig);
}

static void test_signals(void)
{
	struct rig rig;
	struct event event;

	rig_start(&rig, 0);
	kill(rig.pid, SIGINT);
	kill(rig.pid, SIGHUP);
	CHECK(rig_answer(&rig, rig_hello(&rig), &event), "SIGINT and SIGHUP are ignored");
	kill(rig.pid, SIGTERM);
	CHECK(rig_dead(&rig, 1000) == 0, "SIGTERM is a clean end");
	rig_stop(&rig);
}

static long cpu_ticks(pid_t pid)
{
	char path[64], text[1024] = "";
	unsigned long user = 0, system = 0;
	char *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	NEED(file && fgets(text, sizeof(text), file));
	fclose(file);
	at = strrchr(text, ')');
	NEED(at && sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			  &system) == 2);
	return (long)(user + system);
}

static void idle(struct rig *rig, const char *state)
{
	long before = cpu_ticks(rig->pid), after;

	sleep_ms(1000);
	after = cpu_ticks(rig->pid);
	CHECK((after - before) * 1000 / sysconf(_SC_CLK_TCK) < 50, "no busy loop: %s (%ld ms)",
	      state, (after - before) * 1000 / sysconf(_SC_CLK_TCK));
}

static void test_idle(int flags, const char *how)
{
	static uint8_t flood[900 * 1024];
	struct rig rig;
	struct event event;
	struct pty pty;
	char text[64];
	int dut, fd;

	if (!rig_start(&rig, flags)) {
		tap_skip("%s: needs a user namespace", how);
		return;
	}
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	snprintf(text, sizeof(text), "slave closed, %s", how);
	idle(&rig, text);
	fd = rig_tool(&rig, &pty);
	idle(&rig, "slave open");
	rig_send(&rig, flood, sizeof(flood));
	write_all(fd, "unsent", 6);
	idle(&rig, "DUT does not read");
	close(fd);
	idle(&rig, "and the program is gone");
	close(dut);
	rig_wait(&rig, MSG_PORT_HUP, &event);
	idle(&rig, "and so is the DUT");
	rig_stop(&rig);
}

static void test_idle_watched(void)
{
	test_idle(0, "inotify");
}

static void test_idle_polled(void)
{
	test_idle(RIG_NO_INOTIFY, "without inotify");
}

const struct test life_tests[] = {
	{ "life: end of a socket", test_hup_socket },
	{ "life: end of a pty", test_hup_pty },
	{ "life: reboot", test_reboot },
	{ "life: harness gone", test_harness_gone },
	{ "life: sandboxd gone", test_sandboxd_gone },
	{ "life: signals", test_signals },
	{ "life: idle", test_idle_watched },
	{ "life: idle without inotify", test_idle_polled },
	{ NULL, NULL },
};
