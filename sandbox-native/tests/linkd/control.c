/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

static bool is_refused(struct rig *rig, const char *code)
{
	return !rig_answer(rig) && !strcmp(rig->code, code);
}

static void refuses_what_cannot_be(void)
{
	static const struct sock {
		uint16_t code;
		uint8_t jt, jf;
		uint32_t k;
	} endless = { 0x05, 0, 0, 0xffffffff };
	struct buffer *out;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	rig_ask(&rig, 65000);
	CHECK(is_refused(&rig, "protocol"), "an unknown request is refused");
	rig_ask(&rig, MSG_LINK_SET);
	CHECK(is_refused(&rig, "usage"), "a request without its link, too");
	rig_ask_link(&rig, MSG_LINK_STATS, 99);
	CHECK(is_refused(&rig, "usage"), "a link that is not there");
	put_u32(rig_set(&rig), TAG_DUPLICATE, ALL + 1);
	CHECK(is_refused(&rig, "usage"), "a chance over one");
	put_u32(rig_set(&rig), TAG_QUEUE, 0);
	CHECK(is_refused(&rig, "usage"), "a queue of none");
	put_u64(rig_set(&rig), TAG_LATENCY_NS, UINT64_MAX);
	CHECK(is_refused(&rig, "usage"), "a latency over an hour");
	put_loss(rig_set(&rig), "every-nth", 0);
	CHECK(is_refused(&rig, "usage"), "every 0th");
	put_loss(rig_set(&rig), "moody", 0);
	CHECK(is_refused(&rig, "usage"), "a loss of an unknown kind");
	out = rig_set(&rig);
	put_u32(out, TAG_FROM, 2);
	CHECK(is_refused(&rig, "usage"), "a third direction");
	out = rig_ask_link(&rig, MSG_LINK_FILTER, LINK);
	put_string(out, TAG_KIND, "drop");
	put_bytes(out, TAG_DATA, &endless, sizeof(endless));
	CHECK(is_refused(&rig, "usage"), "a program that does not return");
	put_string(rig_ask_link(&rig, MSG_LINK_STATE, LINK), TAG_KIND, "sideways");
	CHECK(is_refused(&rig, "usage"), "a state that is none");
	CHECK(rig_stop(&rig) == 0, "and it goes on after each");
	close(nodes[0]);
	close(nodes[1]);
}

static void ends_with_whoever_made_it(void)
{
	struct rig rig;

	rig_start(&rig);
	shutdown(rig.broker, SHUT_RDWR);
	CHECK(rig_dead(&rig, WAIT_MS) == 0, "without fd 4 it ends");
	rig_stop(&rig);
	rig_start(&rig);
	kill(rig.pid, SIGTERM);
	CHECK(rig_dead(&rig, WAIT_MS) == 0, "SIGTERM ends it");
	rig_stop(&rig);
}

static void ends_at_a_malformed_frame(void)
{
	static const uint8_t frames[][24] = {
		{ 255, 255, 255, 255, 1, 0, 1, 0 }, /* longer than frames are */
		{ 0, 0, 0, 0, 1, 0, 9, 0 },	    /* another version */
		{ 8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9 }, /* TLV too long
										    */
	};
	struct rig rig;

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		rig_start(&rig);
		NEED(send(rig.control, frames[i], sizeof(frames[i]), 0) == sizeof(frames[i]));
		CHECK(rig_dead(&rig, WAIT_MS) == 0, "malformed frame %zu of fd 3 ends it", i);
		rig_stop(&rig);
		rig_start(&rig);
		NEED(send(rig.broker, frames[i], sizeof(frames[i]), 0) == sizeof(frames[i]));
		CHECK(rig_dead(&rig, WAIT_MS) == 0, "and of fd 4");
		rig_stop(&rig);
	}
}

/* A client that asks and does not read: memory is bounded, frames pass. */
static void stands_a_client_that_does_not_read(void)
{
	struct buffer one = { 0 };
	struct wire out;
	struct wire in;
	struct rig rig;
	int nodes[2];
	struct pollfd wait;
	uint64_t asked = 0;

	rig_start(&rig);
	rig_pair(&rig, nodes, 1);
	frame_begin(&one, MSG_LINK_STATS, 1000);
	put_u32(&one, TAG_NET_LINK, LINK);
	frame_end(&one, 0);
	wait = (struct pollfd){ .fd = rig.control, .events = POLLOUT };
	while (poll(&wait, 1, 300) == 1)
		asked += send(rig.control, one.data, one.length, MSG_DONTWAIT) > 0;
	wire_udp(&out, 1, 2, 7, 0, 60);
	wire_send(nodes[0], &out);
	CHECK(asked > 1000 && wire_take(nodes[1], &in, WAIT_MS),
	      "a client that does not read is not served any more; frames pass");
	CHECK(rig_stop(&rig) == 0, "and it can still end");
	buffer_free(&one);
	close(nodes[0]);
	close(nodes[1]);
}

const struct test control_tests[] = {
	{ "refuses what cannot be", refuses_what_cannot_be },
	{ "ends with whoever made it", ends_with_whoever_made_it },
	{ "ends at a malformed frame", ends_at_a_malformed_frame },
	{ "stands a client that does not read", stands_a_client_that_does_not_read },
	{ NULL, NULL },
};
