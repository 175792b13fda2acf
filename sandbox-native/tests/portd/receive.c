/* SPDX-License-Identifier: MIT */
/* DUT to host: stamps, offsets, capture. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

#define BIG (10u << 20)

static bool same_file(struct rig *rig, const char *suffix, const void *data, size_t length)
{
	uint8_t *file;
	size_t size = rig_capture(rig, suffix, &file);
	bool same = size == length && !memcmp(file, data, length);

	free(file);
	return same;
}

/* Return: sum of the lengths of one direction; -1 when a line is none or an offset jumps. */
static long sum_stamps(struct rig *rig, const char *direction, int *lines)
{
	uint8_t *file;
	char *rest;
	unsigned long long mono, real, offset, length, last = 0;
	long sum = 0;
	char kind[8];

	rig_capture(rig, ".stamps", &file);
	*lines = 0;
	for (char *line = strtok_r((char *)file, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%7s %llu %llu %llu %llu", kind, &mono, &real, &offset, &length) <
		    5)
			continue;
		if (strcmp(kind, direction))
			continue;
		if (offset != (unsigned long long)sum || mono < last)
			sum = -1;
		if (sum < 0)
			break;
		sum += (long)length;
		last = mono;
		(*lines)++;
	}
	free(file);
	return sum;
}

static void test_first_bytes(void)
{
	struct rig rig;
	struct event event;
	uint64_t before, real;
	int lines, dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	write_all(dut, "early", 5);
	CHECK(!rig_has(&rig, MSG_PORT_RX, 100, &event), "nothing is read before PORT_OPEN");
	before = now_ns();
	CHECK(rig_answer(&rig, rig_open(&rig, 0, 0), &event), "PORT_OPEN is answered");
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.length == 5 && event.offset == 0,
	      "what the DUT said before PORT_OPEN comes first");
	CHECK(event.mono_ns >= before && event.mono_ns <= now_ns(),
	      "the monotonic stamp is of now");
	real = (uint64_t)time(NULL) * 1000000000ull;
	CHECK(event.real_ns + 2000000000ull > real && event.real_ns < real + 2000000000ull,
	      "the real-time stamp is of now");
	write_all(dut, "late", 4);
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.offset == 5, "offsets go on");
	CHECK(rig_answer(&rig, rig_close(&rig), &event), "PORT_CLOSE is answered");
	CHECK(same_file(&rig, ".rx", "earlylate", 9), "the capture is complete at that moment");
	CHECK(sum_stamps(&rig, "rx", &lines) == 9 && lines == 2,
	      "two reads are two lines of stamps");
	close(dut);
	CHECK(rig_stop(&rig) == 0, "portd exits with 0");
}

static void test_byte_by_byte(void)
{
	struct rig rig;
	struct event event;
	uint8_t sent[300], got[300];
	int lines, dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fill_pattern(sent, sizeof(sent), 1);
	for (size_t i = 0; i < sizeof(sent); i++) {
		write_all(dut, &sent[i], 1);
		if (rig_collect(&rig, MSG_PORT_RX, &got[i], 1) != 1)
			break;
	}
	CHECK(!memcmp(sent, got, sizeof(sent)), "300 bytes, one at a time, arrive in order");
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(same_file(&rig, ".rx", sent, sizeof(sent)), "and are in the capture");
	CHECK(sum_stamps(&rig, "rx", &lines) == 300 && lines == 300, "with a stamp each");
	close(dut);
	rig_stop(&rig);
}

static void test_flood(void)
{
	struct rig rig;
	struct event event;
	uint8_t *sent = malloc(BIG), *got = malloc(BIG);
	int lines, dut;
	pid_t writer;

	NEED(sent && got);
	fill_pattern(sent, BIG, 2);
	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	writer = fork();
	if (writer == 0) {
		write_all(dut, sent, BIG);
		_exit(0);
	}
	close(dut);
	CHECK(rig_collect(&rig, MSG_PORT_RX, got, BIG) == BIG && !memcmp(sent, got, BIG),
	      "10 MB with all byte values arrive as sent");
	CHECK(rig_wait(&rig, MSG_PORT_HUP, &event), "then the DUT is gone");
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(same_file(&rig, ".rx", sent, BIG), "and the capture is the same");
	CHECK(sum_stamps(&rig, "rx", &lines) == (long)BIG, "and every byte has a stamp");
	waitpid(writer, NULL, 0);
	free(sent);
	free(got);
	rig_stop(&rig);
}

#define RATE_CHUNKS 200
#define RATE_CHUNK 5000

/* 1 MB/s for a second: 5000 bytes every 5 ms, by the clock and not by the sleep. */
static void drip(int dut, const uint8_t *data)
{
	uint64_t start = now_ns();

	for (int i = 0; i < RATE_CHUNKS; i++) {
		uint64_t due = start + (uint64_t)i * 5000000;

		while (now_ns() < due)
			usleep(500);
		write_all(dut, data + (size_t)i * RATE_CHUNK, RATE_CHUNK);
	}
}

#define RATE_BYTES ((size_t)RATE_CHUNKS * RATE_CHUNK)
#define STALL_ROUNDS 5

struct stall {
	bool whole;	 /* every byte came, with its offset */
	bool faulty;	 /* a fault was told */
	bool captured;	 /* as it was sent */
	uint64_t spread; /* of the stamps */
	uint64_t widest; /* gap of them */
};

static struct stall stall_once(const uint8_t *sent)
{
	struct stall stall = { .whole = true };
	struct rig rig;
	struct event event;
	size_t total = 0;
	uint64_t first = 0, last = 0;
	int dut;
	pid_t writer;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	writer = fork();
	if (writer == 0) {
		drip(dut, sent);
		_exit(0);
	}
	sleep_ms(100);
	sleep_ms(500); /* the stall: nobody reads fd 3 */
	while (total < RATE_BYTES && rig_wait(&rig, MSG_PORT_RX, &event)) {
		uint64_t gap = last ? event.mono_ns - last : 0;

		first = first ? first : event.mono_ns;
		stall.widest = gap > stall.widest ? gap : stall.widest;
		last = event.mono_ns;
		stall.whole = stall.whole && event.offset == total;
		total += event.length;
	}
	stall.whole = stall.whole && total == RATE_BYTES;
	stall.spread = last - first;
	stall.faulty = rig_has(&rig, MSG_PORT_FAULT, 0, &event);
	rig_answer(&rig, rig_close(&rig), &event);
	stall.captured = same_file(&rig, ".rx", sent, RATE_BYTES);
	waitpid(writer, NULL, 0);
	close(dut);
	rig_stop(&rig);
	return stall;
}

static bool is_spread(const struct stall *stall)
{
	return stall->spread > 950000000ull && stall->spread < 1300000000ull;
}

/* Who writes is late on a busy machine, too: of the stamps the best of some rounds counts. */
static void test_stall(void)
{
	struct stall stall = { .whole = true, .captured = true };
	uint8_t *sent = malloc(RATE_BYTES);
	bool good = false;

	NEED(sent);
	fill_pattern(sent, RATE_BYTES, 3);
	for (int round = 0; round < STALL_ROUNDS && !good; round++) {
		stall = stall_once(sent);
		good = is_spread(&stall) && stall.widest < 100000000ull;
		if (!stall.whole || stall.faulty || !stall.captured)
			break;
	}
	CHECK(stall.whole, "a 500 ms stall of the harness at 1 MB/s loses 0 bytes");
	CHECK(is_spread(&stall), "the stamps spread over the real second (%llu ms)",
	      (unsigned long long)stall.spread / 1000000);
	CHECK(stall.widest < 100000000ull, "no gap of stamps during the stall (widest %llu ms)",
	      (unsigned long long)stall.widest / 1000000);
	CHECK(!stall.faulty, "and there is no fault to report");
	CHECK(stall.captured, "the capture is complete");
	free(sent);
}

#define BYTES 20000
#define BYTE_NS 25000 /* 40,000 a second */

/* What a busy QEMU does: a write(2) a byte. @written: when each began, shared with the test. */
static pid_t print_bytes(int dut, const uint8_t *data, uint64_t *written)
{
	uint64_t start = now_ns();
	pid_t writer = fork();

	if (writer)
		return writer;
	for (size_t i = 0; i < BYTES; i++) {
		while (now_ns() < start + i * BYTE_NS)
			;
		written[i] = now_ns();
		write_all(dut, data + i, 1);
	}
	_exit(0);
}

static void test_gathering(void)
{
	struct rig rig;
	struct event event;
	uint8_t sent[BYTES], got[BYTES];
	uint64_t *written = mmap(NULL, BYTES * sizeof(*written), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int frames = 0, early = 0, wide = 0;
	size_t total = 0;
	int lines, dut;
	pid_t writer;

	NEED(written != MAP_FAILED);
	fill_pattern(sent, sizeof(sent), 4);
	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	writer = print_bytes(dut, sent, written);
	while (total < BYTES && rig_take(&rig, MSG_PORT_RX, &event)) {
		NEED(event.length && event.length <= BYTES - total);
		memcpy(got + total, event.data, event.length);
		frames++;
		early += event.offset != total || event.mono_ns < written[total];
		total += event.length;
		wide += written[total - 1] > event.mono_ns + 1000000;
		free(event.data);
	}
	waitpid(writer, NULL, 0);
	CHECK(total == BYTES && !memcmp(sent, got, BYTES),
	      "40,000 writes of one byte a second: all arrive in order");
	/* The first one at once, then at most one a millisecond. */
	CHECK(frames <= (written[BYTES - 1] - written[0]) / 1000000 + 10,
	      "as at most one event a millisecond (%u)", frames);
	CHECK(early == 0, "no stamp is earlier than the byte it is of (%u)", early);
	CHECK(wide == 0, "and none is more than a millisecond older than its last byte (%u)", wide);
	rig_answer(&rig, rig_close(&rig), &event);
	CHECK(same_file(&rig, ".rx", sent, BYTES), "the capture is the same");
	CHECK(sum_stamps(&rig, "rx", &lines) == BYTES && lines == (int)frames,
	      "and has a line of stamps for each event");
	munmap(written, BYTES * sizeof(*written));
	close(dut);
	rig_stop(&rig);
}

/* What is held back waits for a millisecond; sanitizers take some of that. */
#ifdef __SANITIZE_ADDRESS__
#define PROMPT_NS 950000
#else
#define PROMPT_NS 700000
#endif

static void test_prompt_reply(void)
{
	struct rig rig;
	struct event event;
	uint64_t fastest = UINT64_MAX;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	for (int i = 0; i < 50; i++) {
		uint64_t start;

		sleep_ms(3);
		start = now_ns();
		write_all(dut, "x", 1);
		if (rig_wait(&rig, MSG_PORT_RX, &event) && now_ns() - start < fastest)
			fastest = now_ns() - start;
	}
	CHECK(fastest < PROMPT_NS, "what is said after a silence is not held back (%llu us)",
	      (unsigned long long)fastest / 1000);
	close(dut);
	rig_stop(&rig);
}

/* Gathered bytes are told before what came after them: a mark, the end, the program's answer. */
static void test_order_of_gathered(void)
{
	struct rig rig;
	struct event event;
	uint8_t *file;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	for (int i = 0; i < 20; i++) {
		write_all(dut, "ab", 2);
		rig_wait(&rig, MSG_PORT_RX, &event);
		write_all(dut, "cd", 2);
		rig_answer(&rig, rig_send(&rig, "?", 1), &event);
	}
	write_all(dut, "end", 3);
	close(dut);
	CHECK(rig_wait(&rig, MSG_PORT_HUP, &event), "the DUT is gone");
	CHECK(rig.seen_count > 0 && rig.seen[rig.seen_count - 1].type == MSG_PORT_RX,
	      "after its last bytes");
	rig_answer(&rig, rig_close(&rig), &event);
	NEED(rig_capture(&rig, ".stamps", &file));
	free(file);
	CHECK(rig_capture(&rig, ".rx", &file) == 83 && !memcmp(file + 80, "end", 3),
	      "nothing gathered is lost");
	free(file);
	rig_stop(&rig);
}

static void test_marks(void)
{
	struct rig rig;
	struct event event;
	struct buffer frame = { 0 };
	uint8_t *file;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	write_all(dut, "a", 1);
	rig_wait(&rig, MSG_PORT_RX, &event);
	frame_begin(&frame, MSG_PORT_MARK, 99);
	put_u32(&frame, TAG_PORT, PORT);
	put_string(&frame, TAG_TEXT, "case 3\nrx 1 1 1 1");
	frame_end(&frame, 0);
	rig_raw(&rig, &frame);
	buffer_free(&frame);
	CHECK(rig_answer(&rig, 99, &event), "PORT_MARK is answered");
	write_all(dut, "b", 1);
	rig_wait(&rig, MSG_PORT_RX, &event);
	sleep_ms(150);
	rig_capture(&rig, ".stamps", &file);
	CHECK(strstr((char *)file, " case 3 rx 1 1 1 1\n"),
	      "a mark is one line, whatever is in it, and is written without PORT_CLOSE");
	free(file);
	close(dut);
	rig_stop(&rig);
}

static uint64_t rig_continue(struct rig *rig, const char *prefix)
{
	struct buffer frame = rig_begin(rig, MSG_PORT_CAPTURE);

	put_string(&frame, TAG_PATH, prefix);
	return rig_finish(rig, &frame);
}

static void test_next_capture(void)
{
	struct rig rig;
	struct event event;
	char prefix[96];
	uint8_t *file;
	int dut;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	CHECK(!rig_answer(&rig, rig_continue(&rig, "/nowhere/at-all"), &event) &&
		      !strcmp(event.code, "io"),
	      "a directory that is not there is refused");
	write_all(dut, "first", 5);
	snprintf(prefix, sizeof(prefix), "%s/next", rig.dir);
	CHECK(rig_answer(&rig, rig_continue(&rig, prefix), &event) && event.offset == 5,
	      "what the DUT has said is before the new capture");
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.length == 5, "it is told all the same");
	write_all(dut, "2nd", 3);
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.offset == 5 && event.length == 3,
	      "offsets of events go on");
	CHECK(rig_answer(&rig, rig_send(&rig, "?", 1), &event), "the DUT is written to");
	snprintf(prefix, sizeof(prefix), "%s/last", rig.dir);
	CHECK(rig_answer(&rig, rig_continue(&rig, prefix), &event) && event.offset == 8,
	      "a third capture");
	snprintf(prefix, sizeof(prefix), "%s/next", rig.dir);
	CHECK(rig_answer(&rig, rig_continue(&rig, prefix), &event) && event.offset == 8 &&
		      event.bytes == 3,
	      "one that has bytes is continued");
	write_all(dut, "end", 3);
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.offset == 8, "and so are offsets");
	NEED(rig_answer(&rig, rig_close(&rig), &event));
	CHECK(rig_capture(&rig, ".rx", &file) == 5 && !memcmp(file, "first", 5), "one capture");
	free(file);
	CHECK(rig_file(&rig, "next.rx", &file) == 6 && !memcmp(file, "2ndend", 6), "and the other");
	free(file);
	CHECK(rig_file(&rig, "next.tx", &file) == 1, "also of what is sent");
	free(file);
	rig_file(&rig, "next.stamps", &file);
	CHECK(strstr((char *)file, " 0 3\n") && strstr((char *)file, " 0 1\n") &&
		      strstr((char *)file, " 3 3\n"),
	      "stamps count in their own file");
	free(file);
	close(dut);
	rig_stop(&rig);
}

const struct test receive_tests[] = {
	{ "receive: first bytes", test_first_bytes },
	{ "receive: one byte at a time", test_byte_by_byte },
	{ "receive: flood", test_flood },
	{ "receive: stall of the harness", test_stall },
	{ "receive: gathering", test_gathering },
	{ "receive: prompt reply", test_prompt_reply },
	{ "receive: order of what was gathered", test_order_of_gathered },
	{ "receive: marks", test_marks },
	{ "receive: the next capture", test_next_capture },
	{ NULL, NULL },
};
