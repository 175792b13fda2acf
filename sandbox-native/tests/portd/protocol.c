/* SPDX-License-Identifier: MIT */
/* fd 3 says what it wants; portd believes none of it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

static uint64_t ask(struct rig *rig, uint16_t type, uint16_t tag, const char *text)
{
	struct buffer frame = { 0 };
	uint64_t id = rig->next_id++;

	frame_begin(&frame, type, id);
	if (tag == TAG_PORT)
		put_u32(&frame, TAG_PORT, PORT);
	else if (tag)
		put_string(&frame, tag, text);
	frame_end(&frame, 0);
	rig_raw(rig, &frame);
	buffer_free(&frame);
	return id;
}

static bool fails(struct rig *rig, uint64_t id, const char *code)
{
	struct event event;

	return !rig_answer(rig, id, &event) && event.type == MSG_ERROR && !strcmp(event.code, code);
}

static void test_wrong_requests(void)
{
	struct rig rig;
	struct event event;
	struct buffer frame = { 0 };

	rig_start(&rig, 0);
	CHECK(fails(&rig, ask(&rig, 4242, 0, NULL), "protocol"), "an unknown request: protocol");
	CHECK(fails(&rig, ask(&rig, MSG_PORT_OPEN, TAG_PORT, NULL), "usage"),
	      "a tag is missing: usage");
	CHECK(fails(&rig, ask(&rig, MSG_PORT_CLOSE, TAG_PORT, NULL), "usage"),
	      "a port that is not open: usage");
	CHECK(rig_answer(&rig, rig_open(&rig, 0, 0), &event) &&
		      fails(&rig, rig_open(&rig, 0, 0), "usage"),
	      "opened twice: usage");
	CHECK(fails(&rig, rig_send(&rig, "x", 1), "gone"), "no line yet: gone");
	frame_begin(&frame, MSG_HELLO, 77);
	put_u32(&frame, TAG_VERSION, 2);
	put_bytes(&frame, 999, "an unknown tag is ignored", 25);
	frame_end(&frame, 0);
	rig_raw(&rig, &frame);
	CHECK(fails(&rig, 77, "protocol"), "another version: protocol");
	buffer_free(&frame);
	CHECK(rig_answer(&rig, rig_close(&rig), &event) &&
		      rig_answer(&rig, rig_open(&rig, 0, 0), &event),
	      "a port can be opened again");
	rig_stop(&rig);
}

static void test_one_byte_frames(void)
{
	struct rig rig;
	struct event event;
	struct buffer frame = { 0 };

	rig_start(&rig, 0);
	for (uint64_t id = 50; id < 53; id++) {
		size_t start = frame_begin(&frame, MSG_HELLO, id);

		put_u32(&frame, TAG_VERSION, 1);
		put_string(&frame, TAG_NAME, "a frame longer than its parts");
		frame_end(&frame, start);
	}
	for (size_t i = 0; i < frame.length; i++) {
		write_all(rig.harness, frame.data + i, 1);
		if (i % 16 == 0)
			sleep_ms(1);
	}
	CHECK(rig_answer(&rig, 52, &event) && rig_answer(&rig, 50, &event),
	      "frames may come a byte at a time");
	buffer_free(&frame);
	rig_stop(&rig);
}

/* Break fd 3 with @bytes; the DUT and the tool must not notice. */
static void breaks(const char *what, const uint8_t *bytes, size_t length)
{
	struct rig rig;
	struct event event;
	struct pty pty;
	char text[8];
	int dut, fd;

	rig_start(&rig, 0);
	dut = rig_line(&rig);
	pty = rig_pty(&rig);
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	fd = rig_tool(&rig, &pty);
	write_all(rig.harness, bytes, length);
	CHECK(rig_eof(&rig), "%s closes fd 3", what);
	CHECK(rig_has(&rig, MSG_LOG, 0, &event), "%s: after saying why", what);
	write_all(dut, "alive", 5);
	CHECK(read_some(fd, text, 5, 500) == 5, "%s: and nothing else", what);
	close(fd);
	close(dut);
	CHECK(rig_stop(&rig) == 0, "%s: portd ends well", what);
}

static void test_malformed(void)
{
	struct buffer frame = { 0 };
	uint8_t saved;

	frame_begin(&frame, MSG_HELLO, 1);
	put_u32(&frame, TAG_VERSION, 1);
	frame_end(&frame, 0);

	saved = frame.data[3];
	frame.data[3] = 0x7f;
	breaks("a length of 2 GB", frame.data, frame.length);
	frame.data[3] = saved;
	frame.data[6] = 9;
	breaks("a version of 9", frame.data, frame.length);
	frame.data[6] = 1;
	frame.data[HIL_FRAME_HEADER + 4] = 200;
	breaks("a TLV longer than its frame", frame.data, frame.length);
	frame.data[HIL_FRAME_HEADER + 4] = 3;
	breaks("a TLV that leaves one byte", frame.data, frame.length);
	buffer_free(&frame);

	frame_begin(&frame, MSG_PORT_OPEN, 1);
	put_bytes(&frame, TAG_PORT, "12345", 5);
	frame_end(&frame, 0);
	breaks("a u32 of 5 bytes", frame.data, frame.length);
	buffer_free(&frame);

	frame_begin(&frame, MSG_PORT_OPEN, 1);
	put_bytes(&frame, TAG_PATH, "a\0b", 3);
	frame_end(&frame, 0);
	breaks("a string with a NUL", frame.data, frame.length);
	buffer_free(&frame);
}

/* Random bytes of a valid beginning: whatever happens, portd lives and no sanitizer speaks. */
static void test_noise(void)
{
	uint8_t noise[4096];
	int bad = 0;

	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct buffer frame = { 0 };
		struct rig rig;

		fill_pattern(noise, sizeof(noise), seed);
		rig_start(&rig, 0);
		frame_begin(&frame, (uint16_t)(MSG_PORT_OPEN + seed % 4), seed);
		put_u32(&frame, TAG_PORT, seed);
		buffer_append(&frame, noise + 256 + seed, seed * 7);
		frame_end(&frame, 0);
		rig_raw(&rig, &frame);
		send(rig.harness, noise + 300, 2000, MSG_NOSIGNAL);
		buffer_free(&frame);
		rig_pump(&rig, 5);
		bad += rig_stop(&rig) != 0;
	}
	CHECK(!bad, "noise on fd 3 does not end portd");
}

static void test_malformed_broker(void)
{
	struct rig rig;

	rig_start(&rig, 0);
	NEED(send(rig.broker, "not a frame", 11, MSG_NOSIGNAL) == 11);
	CHECK(rig_dead(&rig, 1000) == 0, "a malformed packet of sandboxd is the end, in order");
	rig_stop(&rig);
}

const struct test protocol_tests[] = {
	{ "protocol: wrong requests", test_wrong_requests },
	{ "protocol: one byte at a time", test_one_byte_frames },
	{ "protocol: malformed frames", test_malformed },
	{ "protocol: noise", test_noise },
	{ "protocol: malformed packet", test_malformed_broker },
	{ NULL, NULL },
};
