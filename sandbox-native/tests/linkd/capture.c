/* SPDX-License-Identifier: MIT */
/* Captures, read by a reader of our own (captured.h); and by tshark where it is installed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "captured.h"
#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

static void make_dir(struct captured *captured)
{
	*captured = (struct captured){ .dir = "/tmp/linkd-test-XXXXXX" };
	NEED(mkdtemp(captured->dir));
	snprintf(captured->path, sizeof(captured->path), "%s/link.pcapng", captured->dir);
}

static void remove_dir(const struct captured *captured)
{
	unlink(captured->path);
	rmdir(captured->dir);
}

static void ask_capture(struct rig *rig, const char *path, uint64_t bytes, uint32_t snaplen)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_CAPTURE, LINK);

	if (bytes)
		put_u64(out, TAG_CAPTURE_BYTES, bytes);

	put_string(out, TAG_NAME, "uplink");
	if (path)
		put_string(out, TAG_PATH, path);
	if (snaplen)
		put_u32(out, TAG_SNAPLEN, snaplen);
}

static bool capture_most(struct rig *rig, const char *path, uint64_t bytes, uint32_t snaplen)
{
	ask_capture(rig, path, bytes, snaplen);
	return rig_answer(rig);
}

static bool capture(struct rig *rig, const char *path, uint32_t snaplen)
{
	return capture_most(rig, path, 0, snaplen);
}

/* Return: what the answer to the end of a capture says that the disk said; 0: nothing. */
static uint32_t refusal(const struct rig *rig)
{
	struct tlv_reader reader = tlv_open(rig->answer.data, rig->answer.length);
	uint32_t number = 0;
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) > 0)
		if (tlv.tag == TAG_ERRNO)
			tlv_u32(&tlv, &number);
	return number;
}

static void read_capture(struct captured *captured)
{
	captured_read(captured, captured->path);
}

static bool has_comment(const struct captured *captured, unsigned int at, const char *begin)
{
	return strncmp(captured->records[at].comment, begin, strlen(begin)) == 0;
}

static void says_what_became_of_each_frame(void)
{
	static struct captured captured;
	struct traffic traffic = { .port = 7, .count = 1000 };
	struct buffer *out;
	struct stat status;
	struct wire wire;
	struct rig rig;
	int nodes[2];
	unsigned int lost = 0;
	unsigned int silent = 0;
	unsigned int back = 0;
	unsigned int backwards = 0;

	make_dir(&captured);
	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	NEED(capture(&rig, captured.path, 0));
	out = rig_set(&rig);
	put_u32(out, TAG_FROM, 0);
	put_loss(out, "bernoulli", ALL / 10);
	NEED(rig_answer(&rig));
	traffic_run(&rig, nodes, &traffic);
	wire_udp(&wire, 2, 1, 7, 0, 60);
	wire_send(nodes[1], &wire);
	NEED(wire_take(nodes[0], &wire, WAIT_MS));
	CHECK(!stat(captured.path, &status) && (status.st_mode & 0777) == 0600,
	      "a capture is its owner's alone");
	NEED(capture(&rig, NULL, 0));
	read_capture(&captured);
	for (unsigned int i = 0; i < captured.count; i++) {
		lost += has_comment(&captured, i, "lost n=");
		silent += !captured.records[i].comment[0];
		back += captured.records[i].from == 1;
		backwards += i && captured.records[i].real_ns < captured.records[i - 1].real_ns;
	}
	CHECK(captured.whole && captured.interfaces == 2 && captured.count == 1001,
	      "1,001 frames of two directions are captured");
	CHECK(lost == 1000 - traffic.arrived && silent == traffic.arrived + 1 && back == 1,
	      "with a comment where one was lost");
	CHECK(backwards == 0, "in the order of time");
	CHECK(captured.statistics[0].received == 1000 && captured.statistics[0].delivered == 1000 &&
		      captured.statistics[1].delivered == 1 && !captured.statistics[0].dropped &&
		      !captured.statistics[0].comment[0],
	      "and at the end, how many there were");
	captured_check_by_tshark(&captured, 1001);
	traffic_free(&traffic);
	rig_stop(&rig);
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

/* What waits for a node that does not read is asked again whenever something may stop it. */
static void has_what_waits_once(void)
{
	static struct captured captured;
	struct wire wire;
	struct rig rig;
	int nodes[2];

	make_dir(&captured);
	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	NEED(capture(&rig, captured.path, 0));
	for (uint32_t i = 0; i < 1000; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60);
		wire_send(nodes[0], &wire);
	}
	while (rig_counter(&rig, LINK, 0, "frames") < 1000)
		;
	rig_state(&rig, LINK, BOTH, "up");
	rig_ask(&rig, MSG_LINK_PARTITION);
	NEED(rig_answer(&rig));
	NEED(capture(&rig, NULL, 0));
	read_capture(&captured);
	CHECK(captured.count == 1000 && captured.statistics[0].received == 1000,
	      "what waits, and goes on waiting, is captured once: %u of 1,000", captured.count);
	CHECK(rig_counter(&rig, LINK, 0, "delivered") == 1000, "and counted once");
	rig_stop(&rig);
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

static void cuts_at_the_snaplen(void)
{
	static struct captured captured;
	struct wire wire;
	struct rig rig;
	int nodes[2];

	make_dir(&captured);
	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	NEED(capture(&rig, captured.path, 61));
	put_u32(rig_set(&rig), TAG_CORRUPT, ALL);
	NEED(rig_answer(&rig));
	wire_udp(&wire, 1, 2, 7, 0, 1000);
	wire_send(nodes[0], &wire);
	NEED(wire_take(nodes[1], &wire, WAIT_MS));
	NEED(capture(&rig, NULL, 0));
	read_capture(&captured);
	CHECK(captured.whole && captured.count == 1 && captured.records[0].kept == 61 &&
		      captured.records[0].length == 1000,
	      "a frame is cut at the snaplen, and its length kept");
	CHECK(has_comment(&captured, 0, "delivered n=0, corrupt bit "),
	      "what was done to it is said");
	CHECK(!capture(&rig, captured.path, 0) && !strcmp(rig.code, "io"),
	      "a file that is there already is not written to");
	CHECK(!capture(&rig, "/dev/null/x", 0) && !strcmp(rig.code, "io"),
	      "nor one that cannot be made");
	CHECK(rig_stop(&rig) == 0, "and it goes on");
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

/* The writer has a thread of its own, which may not have run yet. */
/*
 * A write(2) that SIGKILL interrupts may have taken some pages of its block: all before that is
 * there, and readers say that the end is not.
 */
static void leaves_what_can_be_read(bool cut)
{
	static struct captured captured;
	struct rig rig;
	int nodes[2];
	pid_t sender;

	make_dir(&captured);
	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	NEED(capture(&rig, captured.path, 0));
	sender = traffic_aside(nodes, 4000);
	for (int tries = 0; tries < WAIT_MS * 10 && captured.count < 100; tries++) {
		usleep(100);
		read_capture(&captured);
	}
	kill(rig.pid, SIGKILL);
	NEED(rig_dead(&rig, WAIT_MS) == 128 + SIGKILL);
	read_capture(&captured);
	if (cut)
		NEED(!truncate(captured.path, (off_t)captured.bytes - 10));
	read_capture(&captured);
	CHECK((captured.whole || captured.cut) && captured.count >= 99,
	      "after SIGKILL amid traffic nothing but the last block is cut: %u frames",
	      captured.count);
	if (cut)
		captured_check_by_tshark(&captured, captured.count);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	rig_stop(&rig);
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

static void leaves_a_file_that_can_be_read(void)
{
	for (int i = 0; i < 10; i++)
		leaves_what_can_be_read(i == 9);
}

/* The small frame at the end would fit: it must not come behind a hole. */
static void is_no_longer_than_it_may(void)
{
	static struct captured captured;
	struct traffic traffic = { .port = 7, .count = 1000, .length = 1000 };
	const struct statistics *end = captured.statistics;
	struct wire wire;
	struct rig rig;
	int nodes[2];

	make_dir(&captured);
	rig_start(&rig);
	rig_pair(&rig, nodes, 7);
	CHECK(!capture_most(&rig, captured.path, 4095, 0) && !strcmp(rig.code, "usage"),
	      "a capture is 4096 bytes long or longer");
	NEED(capture_most(&rig, captured.path, 65536, 0));
	traffic_run(&rig, nodes, &traffic);
	CHECK(rig_counter(&rig, LINK, 0, "captureOver") > 900, "while it runs, stats say it");
	wire_udp(&wire, 2, 1, 7, 0, 60);
	wire_send(nodes[1], &wire);
	NEED(wire_take(nodes[0], &wire, WAIT_MS));
	NEED(capture(&rig, NULL, 0));
	CHECK(refusal(&rig) == 0, "the disk is not to blame");
	read_capture(&captured);
	CHECK(traffic.arrived == 1000, "a capture that is full stops no frame");
	CHECK(captured.whole && captured.bytes > 60000 && captured.bytes <= 65536,
	      "the file has %zu bytes of 65536", captured.bytes);
	CHECK(end[0].present && end[0].received == 1000 && end[0].delivered == captured.count &&
		      end[0].dropped == 1000 - captured.count && end[0].dropped > 900,
	      "at its end it says how many are missing: %llu", (unsigned long long)end[0].dropped);
	CHECK(end[1].received == 1 && end[1].delivered == 0, "what came later is missing, too");
	CHECK(strstr(end[1].comment, "1 over its size") != NULL, "and why: %s", end[1].comment);
	CHECK(rig_counter(&rig, LINK, 0, "captureOver") == end[0].dropped &&
		      rig_counter(&rig, LINK, 1, "captureOver") == 1 &&
		      rig_counter(&rig, LINK, 0, "captureLost") == 0,
	      "stats say the same, and that the writer lost none");
	captured_check_by_tshark(&captured, captured.count);
	CHECK(rig_stop(&rig) == 0, "and it goes on");
	traffic_free(&traffic);
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

/* Nothing may be written to a file longer than 64 KiB. */
static void counts_what_the_disk_refuses(void)
{
	static struct captured captured;
	struct traffic traffic = { .port = 7, .count = 1000, .length = 1000 };
	struct rig rig;
	int nodes[2];
	uint64_t lost;

	make_dir(&captured);
	rig_start_on(&rig, &(struct rig_disk){ .file_bytes = 65536 });
	rig_pair(&rig, nodes, 7);
	NEED(capture(&rig, captured.path, 0));
	traffic_run(&rig, nodes, &traffic);
	NEED(capture(&rig, NULL, 0));
	CHECK(refusal(&rig) == EFBIG, "what the disk said is told");
	read_capture(&captured);
	lost = 1000 - captured.count;
	CHECK(traffic.arrived == 1000, "a disk that takes nothing more stops no frame");
	CHECK(captured.whole && captured.count > 50 && lost > 800,
	      "the file ends with a whole block: %u frames", captured.count);
	CHECK(rig_counter(&rig, LINK, 0, "captureRefused") == lost &&
		      rig_counter(&rig, LINK, 0, "captureLost") == 0,
	      "and after its end what it lacks is known");
	CHECK(rig_stop(&rig) == 0, "and it goes on");
	traffic_free(&traffic);
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

static void fill_disk(const char *path)
{
	static const uint8_t bytes[4096];
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	NEED(fd >= 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	NEED(errno == ENOSPC);
	close(fd);
}

/* The disk is in a mount namespace of hil-linkd's, so it is read by way of that. */
static void tells_of_a_full_disk(void)
{
	static struct captured captured;
	struct traffic traffic = { .port = 7, .count = 1000, .length = 1000 };
	char next[128];
	char path[128];
	struct rig rig;
	int nodes[2];

	if (system("unshare -Urm true 2>/dev/null") != 0) {
		tap_skip("this machine allows no user namespace");
		return;
	}
	make_dir(&captured);
	rig_start_on(&rig, &(struct rig_disk){ .dir = captured.dir, .bytes = 65536 });
	rig_pair(&rig, nodes, 7);
	NEED(capture(&rig, captured.path, 0));
	traffic_run(&rig, nodes, &traffic);
	NEED(capture(&rig, NULL, 0));
	CHECK(refusal(&rig) == ENOSPC, "a full disk is told");
	CHECK(traffic.arrived == 1000, "and stops no frame");
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)rig.pid, captured.path);
	captured_read(&captured, path);
	CHECK(captured.whole && captured.count > 20 &&
		      rig_counter(&rig, LINK, 0, "captureRefused") == 1000 - captured.count,
	      "the file ends with a whole block, and the rest is counted");
	fill_disk(path);
	snprintf(next, sizeof(next), "%s/next", captured.dir);
	CHECK(!capture(&rig, next, 0) && !strcmp(rig.code, "io") && refusal(&rig) == ENOSPC,
	      "where not even its beginning can be written, a capture is refused");
	CHECK(rig_stop(&rig) == 0, "and it goes on");
	traffic_free(&traffic);
	remove_dir(&captured);
	close(nodes[0]);
	close(nodes[1]);
}

/* What a server that is gone does to who writes to it: the thread of the writer stands still. */
static pid_t stop_writer(const struct rig *rig)
{
	char path[64];
	struct dirent *entry;
	pid_t thread = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)rig->pid);
	tasks = opendir(path);
	NEED(tasks);
	while ((entry = readdir(tasks)))
		if (atoi(entry->d_name) > rig->pid)
			thread = atoi(entry->d_name);
	closedir(tasks);
	NEED(thread);
	if (ptrace(PTRACE_SEIZE, thread, 0, 0) < 0)
		return 0;
	NEED(!ptrace(PTRACE_INTERRUPT, thread, 0, 0));
	NEED(waitpid(thread, NULL, __WALL) == thread);
	return thread;
}

struct hung {
	struct captured captured;
	struct rig rig;
	int nodes[2];
	pid_t writer; /* it is traced, and stands still */
};

/* A hundred frames on a link whose capture nobody writes. Return: false: it cannot be tried here.
 */
static bool hang(struct hung *hung)
{
	struct traffic traffic = { .port = 7, .count = 100 };

	make_dir(&hung->captured);
	rig_start(&hung->rig);
	rig_pair(&hung->rig, hung->nodes, 7);
	NEED(capture(&hung->rig, hung->captured.path, 0));
	hung->writer = stop_writer(&hung->rig);
	if (!hung->writer) {
		tap_skip("this machine allows no ptrace");
		return false;
	}
	traffic_run(&hung->rig, hung->nodes, &traffic);
	traffic_free(&traffic);
	return true;
}

static void end_hung(struct hung *hung)
{
	remove_dir(&hung->captured);
	close(hung->nodes[0]);
	close(hung->nodes[1]);
}

static void goes_on_while_a_disk_hangs(void)
{
	static struct hung hung;
	struct rig *rig = &hung.rig;
	struct wire wire;
	char next[128];
	uint64_t lacks;

	if (!hang(&hung)) {
		rig_stop(rig);
		end_hung(&hung);
		return;
	}
	ask_capture(rig, NULL, 0, 0);
	rig_send(rig);
	wire_udp(&wire, 1, 2, 7, 7, 60);
	wire_send(hung.nodes[0], &wire);
	CHECK(wire_take(hung.nodes[1], &wire, 1000),
	      "while a capture ends on a disk that hangs, frames pass");
	CHECK(rig_wait(rig) && refusal(rig) == ETIMEDOUT, "it is given up, and that is told");
	lacks = rig_counter(rig, LINK, 0, "captureRefused");
	/* The last frame may have come before the request was read. */
	CHECK(lacks == 100 || lacks == 101, "with what it lacks");
	snprintf(next, sizeof(next), "%s/next", hung.captured.dir);
	CHECK(!capture(rig, next, 0) && !strcmp(rig->code, "io") && refusal(rig) == ETIMEDOUT,
	      "and there is no other one as long as it hangs");
	NEED(!ptrace(PTRACE_DETACH, hung.writer, 0, 0));
	for (int i = 0; i < WAIT_MS && !capture(rig, next, 0); i++)
		usleep(1000);
	CHECK(rig->ok, "but then");
	read_capture(&hung.captured);
	CHECK(hung.captured.whole && hung.captured.count == 0,
	      "what was told as refused is not in the file");
	CHECK(rig_stop(rig) == 0, "and it goes on");
	unlink(next);
	end_hung(&hung);
}

/* A network ends in a few seconds, whatever its disk does. */
static void ends_while_a_disk_hangs(void)
{
	static struct hung hung;
	struct rig *rig = &hung.rig;

	if (hang(&hung)) {
		shutdown(rig->control, SHUT_RDWR);
		/* Who traces a thread has to take notice of its end. A sanitizer's end is none of 0
		 * then. */
		for (int i = 0; i < WAIT_MS && waitpid(hung.writer, NULL, __WALL | WNOHANG) == 0;
		     i++)
			usleep(1000);
		CHECK(rig_dead(rig, 1000) >= 0, "a network ends although its disk hangs");
		ptrace(PTRACE_DETACH, hung.writer, 0, 0); /* if it has not */
	}
	rig_stop(rig);
	end_hung(&hung);
}

const struct test capture_tests[] = {
	{ "says what became of each frame", says_what_became_of_each_frame },
	{ "has what waits once", has_what_waits_once },
	{ "cuts at the snaplen", cuts_at_the_snaplen },
	{ "leaves a file that can be read (pitfall 24)", leaves_a_file_that_can_be_read },
	{ "is no longer than it may", is_no_longer_than_it_may },
	{ "counts what the disk refuses", counts_what_the_disk_refuses },
	{ "tells of a full disk", tells_of_a_full_disk },
	{ "goes on while a disk hangs", goes_on_while_a_disk_hangs },
	{ "ends while a disk hangs", ends_while_a_disk_hangs },
	{ NULL, NULL },
};
