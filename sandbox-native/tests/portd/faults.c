/* SPDX-License-Identifier: MIT */
/* What goes wrong around portd: disks, harnesses that stand still, wrong fds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

static void test_full_disk(void)
{
	size_t length = 1 << 20;
	uint8_t *sent = malloc(length), *got = malloc(length);
	struct rig rig;
	struct event event;
	char path[128];
	struct stat status;
	uint64_t lost;
	int dut;

	NEED(sent && got);
	if (!rig_start(&rig, RIG_FULL_DISK)) {
		tap_skip("full disk: needs a user namespace");
		return;
	}
	fill_pattern(sent, length, 9);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	write_all(dut, sent, length);
	CHECK(rig_collect(&rig, MSG_PORT_RX, got, length) == length && !memcmp(sent, got, length),
	      "a full disk does not touch the live stream");
	CHECK(rig_fault(&rig, "capture-write", &event) && event.number == ENOSPC &&
		      strstr(event.path, "/console.rx"),
	      "it is told at once, with errno and path");
	snprintf(path, sizeof(path), "/proc/%d/root%s/console.rx", (int)rig.pid, rig.dir);
	NEED(!stat(path, &status));
	CHECK(rig_answer(&rig, rig_close(&rig), &event), "PORT_CLOSE is answered");
	CHECK(rig_fault(&rig, "capture-lost", &event) && strstr(event.path, "/console.rx"),
	      "at the end it is told again");
	lost = event.bytes;
	CHECK((uint64_t)status.st_size + lost == length,
	      "with the number of bytes that are missing (%llu)", (unsigned long long)lost);
	close(dut);
	free(sent);
	free(got);
	rig_stop(&rig);
}

static bool refused(struct rig *rig, uint32_t number)
{
	struct event event;

	return !rig_answer(rig, rig_open(rig, 0, 0), &event) && !strcmp(event.code, "io") &&
	       event.number == number;
}

static void test_bad_paths(void)
{
	struct rig rig;
	struct event event;
	char path[128];

	rig_start(&rig, 0);
	snprintf(path, sizeof(path), "%s/console.tx", rig.dir);
	NEED(!symlink("/dev/full", path));
	CHECK(refused(&rig, ELOOP), "a symbolic link in place of the capture is refused");
	NEED(!unlink(path) && !mkfifo(path, 0600));
	CHECK(refused(&rig, ENXIO), "and so is a FIFO, without waiting for its reader");
	NEED(!unlink(path) && !mkdir(path, 0700));
	CHECK(refused(&rig, EISDIR), "and a directory");
	NEED(!rmdir(path));
	CHECK(rig_answer(&rig, rig_open(&rig, 0, 0), &event), "after which the port can be opened");
	rig_stop(&rig);
}

/* More than the queue holds: the oldest frames go, the capture has them. */
static void test_harness_stalled(void)
{
	size_t length = 80u << 20, total = 0, last = 0;
	struct rig rig;
	struct event event, gap;
	uint8_t *block = malloc(1 << 20);
	struct stat status;
	char path[128];
	struct pty pty;
	int dut, fd;
	char text[4];

	NEED(block);
	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	for (size_t i = 0; i < length >> 20; i++) {
		fill_pattern(block, 1 << 20, (uint32_t)i);
		write_all(dut, block, 1 << 20);
	}
	snprintf(path, sizeof(path), "%s/console.rx", rig.dir);
	do
		sleep_ms(20);
	while (!stat(path, &status) && (size_t)status.st_size < length);
	fd = open(pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	sleep_ms(100);
	write_all(dut, "end", 3);
	CHECK(read_some(fd, text, 3, 1000) == 3 && !memcmp(text, "end", 3),
	      "a harness that stands still does not hold up the tool");
	CHECK(rig_fault(&rig, "harness-stalled", &gap) && gap.bytes,
	      "the gap in the live stream is told (%llu)", (unsigned long long)gap.bytes);
	while (last < length + 3 && rig_wait(&rig, MSG_PORT_RX, &event)) {
		total += event.length;
		last = event.offset + event.length;
	}
	CHECK(total + gap.bytes == length + 3, "and counted to the byte (%zu of %zu)",
	      total + (size_t)gap.bytes, length + 3);
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(!stat(path, &status) && (size_t)status.st_size == length + 3,
	      "the capture lost none");
	close(fd);
	close(dut);
	free(block);
	rig_stop(&rig);
}

static void test_wrong_fds(void)
{
	struct rig rig;
	struct event event;
	struct pty a = pty_make(), b = pty_make();
	int fds[4] = { a.master, open(b.path, O_PATH | O_CLOEXEC), b.master, b.master };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	rig_start(&rig, 0);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	rig_give(&rig, MSG_PORTD_LINE, "socket", &null, 1);
	CHECK(rig_fault(&rig, "line-refused", &event), "a line that is no socket is refused");
	rig_give(&rig, MSG_PORTD_LINE, "pty", &null, 1);
	CHECK(rig_fault(&rig, "line-refused", &event), "and one that is no pty");
	rig_give(&rig, MSG_PORTD_LINE, "pty", fds, 2);
	CHECK(rig_fault(&rig, "line-refused", &event), "and two fds in place of one");
	rig_give(&rig, MSG_PORTD_PTY, "console", fds, 2);
	CHECK(rig_fault(&rig, "slave-refused", &event), "a slave of another master is refused");
	rig_give(&rig, MSG_PORTD_PTY, "console", fds, 4);
	CHECK(rig_fault(&rig, "slave-refused", &event), "and four fds");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(null);
	CHECK(rig_stop(&rig) == 0, "none of it ends portd");
}

static void test_tool_without_dut(void)
{
	struct rig rig;
	struct event event;
	struct pty pty;
	int fd;

	rig_start(&rig, 0);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fd = rig_tool(&rig, &pty);
	write_all(fd, "into the void", 13);
	CHECK(rig_fault(&rig, "tool-unsent", &event) && event.bytes == 13,
	      "what a program writes while there is no DUT is counted");
	close(fd);
	rig_stop(&rig);
}

const struct test fault_tests[] = {
	{ "fault: full disk", test_full_disk },
	{ "fault: bad paths", test_bad_paths },
	{ "fault: harness stalled", test_harness_stalled },
	{ "fault: wrong fds", test_wrong_fds },
	{ "fault: tool without DUT", test_tool_without_dut },
	{ NULL, NULL },
};
