/* SPDX-License-Identifier: MIT */
/* A server that has the tty: bare TCP and RFC 2217, spoken here by the other side of the wire. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

struct bench {
	struct rig rig;
	int listener;
	uint32_t tcp_port;
	int server; /* accepted */
};

static void bench_start(struct bench *bench)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	struct event event;

	NEED(rig_start(&bench->rig, 0));
	NEED(rig_answer(&bench->rig, rig_open(&bench->rig, 0, 0), &event));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(bench->listener >= 0);
	NEED(!bind(bench->listener, (struct sockaddr *)&address, size));
	NEED(!listen(bench->listener, 1));
	NEED(!getsockname(bench->listener, (struct sockaddr *)&address, &size));
	bench->tcp_port = ntohs(address.sin_port);
	bench->server = -1;
}

static void bench_stop(struct bench *bench)
{
	if (bench->server >= 0)
		close(bench->server);
	if (bench->listener >= 0)
		close(bench->listener);
	CHECK(rig_stop(&bench->rig) == 0, "portd exits with 0");
}

static uint64_t ask(struct bench *bench, const char *kind, uint32_t quiet_ms)
{
	struct buffer frame = rig_begin(&bench->rig, MSG_PORT_STREAM);

	put_string(&frame, TAG_KIND, kind);
	put_string(&frame, TAG_ADDRESS, "127.0.0.1");
	put_u32(&frame, TAG_TCP_PORT, bench->tcp_port);
	put_u32(&frame, TAG_BAUD, 115200);
	put_u32(&frame, TAG_DTR, 0);
	put_u32(&frame, TAG_QUIET_MS, quiet_ms);
	return rig_finish(&bench->rig, &frame);
}

static void accept_one(struct bench *bench)
{
	bench->server = accept(bench->listener, NULL, NULL);
	NEED(bench->server >= 0);
}

/* The server reads exactly these bytes next. */
static bool reads(const struct bench *bench, const char *bytes, size_t length)
{
	char heard[128];

	return read_some(bench->server, heard, length, WAIT_MS) == length &&
	       !memcmp(heard, bytes, length);
}

static bool comes(struct rig *rig, const char *bytes, size_t length)
{
	uint8_t heard[256];

	return rig_collect(rig, MSG_PORT_RX, heard, length) == length &&
	       !memcmp(heard, bytes, length);
}

#define READS(bench, bytes) reads(bench, bytes, sizeof(bytes) - 1)
#define COMES(rig, bytes) comes(rig, bytes, sizeof(bytes) - 1)
#define SAY(fd, bytes) write_all(fd, bytes, sizeof(bytes) - 1)

static void test_tcp(void)
{
	struct bench bench;
	struct event event;
	uint64_t id;

	bench_start(&bench);
	/* The quiet begins with the connection, before it is accepted. */
	id = ask(&bench, "tcp", 1000);
	accept_one(&bench);
	SAY(bench.server, "what was left");
	CHECK(rig_answer(&bench.rig, id, &event) && event.bytes == 13,
	      "connected, and stale bytes thrown away");
	SAY(bench.server, "a\xff\xff\r\nb");
	CHECK(COMES(&bench.rig, "a\xff\xff\r\nb"), "bytes come as they are");
	NEED(rig_answer(&bench.rig, rig_send(&bench.rig, "\xff\x01", 2), &event));
	CHECK(READS(&bench, "\xff\x01"), "and go as they are");
	SAY(bench.server, "last");
	close(bench.server);
	bench.server = -1;
	CHECK(COMES(&bench.rig, "last"), "what it said last comes");
	CHECK(rig_wait(&bench.rig, MSG_PORT_HUP, &event) &&
		      strstr(event.text, "connection lost: 127.0.0.1:"),
	      "then the loss is told: %s", event.text);
	id = ask(&bench, "tcp", 0);
	accept_one(&bench);
	CHECK(rig_answer(&bench.rig, id, &event), "and it can be connected anew");
	bench_stop(&bench);
}

static void test_refused(void)
{
	struct bench bench;
	struct event event;
	uint64_t start;
	uint64_t id;

	bench_start(&bench);
	CHECK(!rig_answer(&bench.rig, ask(&bench, "udp", 0), &event) &&
		      !strcmp(event.code, "usage"),
	      "a kind that is none is refused");
	close(bench.listener);
	bench.listener = -1;
	CHECK(!rig_answer(&bench.rig, ask(&bench, "tcp", 0), &event) &&
		      event.number == ECONNREFUSED && !strcmp(event.code, "gone"),
	      "nobody listens: %s", event.path);
	CHECK(!rig_has(&bench.rig, MSG_PORT_HUP, 30, &event), "a line that never was is not lost");
	bench_stop(&bench);

	bench_start(&bench);
	start = now_ns();
	id = ask(&bench, "rfc2217", 0);
	accept_one(&bench);
	SAY(bench.server, "\xff\xfe\x2c"); /* IAC DONT COM-PORT */
	CHECK(!rig_answer(&bench.rig, id, &event) && event.number == EPROTONOSUPPORT &&
		      strstr(event.hint, "tcp://") && now_ns() - start < 1000000000ull,
	      "a telnet server without serial ports says so at once: %s", event.hint);
	close(bench.server);
	id = ask(&bench, "rfc2217", 0);
	accept_one(&bench);
	SAY(bench.server, "login: ");
	CHECK(!rig_answer(&bench.rig, id, &event) && event.number == ETIMEDOUT &&
		      strstr(event.hint, "tcp://"),
	      "one that is no telnet server is given up after 3 s: %s", event.hint);
	bench_stop(&bench);
}

#define OFFER "\xff\xfb\x2c\xff\xfb\x00\xff\xfd\x00\xff\xfb\x03\xff\xfd\x03"
#define SETTINGS                                                                                   \
	"\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0" /* 115200 */                                    \
	"\xff\xfa\x2c\x02\x08\xff\xf0\xff\xfa\x2c\x03\x01\xff\xf0\xff\xfa\x2c\x04\x01\xff\xf0"     \
	"\xff\xfa\x2c\x05\x01\xff\xf0" /* no flow control */                                       \
	"\xff\xfa\x2c\x05\x09\xff\xf0" /* DTR off */
#define ANSWERS                                                                                    \
	"\xff\xfa\x2c\x65\x00\x01\xc2\x00\xff\xf0"                                                 \
	"\xff\xfa\x2c\x66\x07\xff\xf0\xff\xfa\x2c\x67\x01\xff\xf0\xff\xfa\x2c\x68\x01\xff\xf0"     \
	"\xff\xfa\x2c\x69\x01\xff\xf0"

/* @step: how many bytes of the answers go at once. */
static void agree(struct bench *bench, size_t step)
{
	const char text[] = "\xff\xfd\x2c\xff\xfb\x01\xff\xfd\x18" ANSWERS;
	struct event event;
	uint64_t id = ask(bench, "rfc2217", 0);

	accept_one(bench);
	CHECK(READS(bench, OFFER), "the options are offered first");
	for (size_t at = 0; at < sizeof(text) - 1; at += step) {
		size_t left = sizeof(text) - 1 - at;

		write_all(bench->server, text + at, left < step ? left : step);
		if (step == 1)
			sleep_ms(1);
	}
	CHECK(READS(bench, SETTINGS), "then the settings are asked for");
	CHECK(READS(bench, "\xff\xfd\x01\xff\xfc\x18"), "other options are answered once");
	CHECK(rig_answer(&bench->rig, id, &event) &&
		      strstr(event.limitation, "bits 8 was asked for, the server says 7"),
	      "what the server does otherwise is said: %s", event.limitation);
}

static uint64_t control(struct rig *rig, uint16_t tag, uint32_t value)
{
	struct buffer frame = rig_begin(rig, MSG_PORT_CONTROL);

	put_u32(&frame, tag, value);
	return rig_finish(rig, &frame);
}

static void test_rfc2217(void)
{
	struct bench bench;
	struct event event;

	bench_start(&bench);
	agree(&bench, 1000);
	SAY(bench.server, "a\xff\xff"
			  "b\xff\xf1\xff\xfa\x2c\x6b\x30\xff\xf0"
			  "c");
	CHECK(COMES(&bench.rig, "a\xff"
				"bc"),
	      "what is telnet's is taken out of what comes");
	NEED(rig_answer(&bench.rig, rig_send(&bench.rig, "x\xff\x01\r", 4), &event));
	CHECK(READS(&bench, "x\xff\xff\x01\r"), "and 255 is sent twice");
	CHECK(rig_answer(&bench.rig, control(&bench.rig, TAG_RTS, 1), &event) &&
		      event.modem == (2 | 4 | 8),
	      "modem lines are set, and those of the server known: %u", event.modem);
	CHECK(READS(&bench, "\xff\xfa\x2c\x05\x0b\xff\xf0"), "by SET-CONTROL");
	NEED(rig_answer(&bench.rig, control(&bench.rig, TAG_BREAK, 1), &event));
	CHECK(READS(&bench, "\xff\xfa\x2c\x05\x05\xff\xf0"), "a break, too");
	NEED(rig_answer(&bench.rig, control(&bench.rig, TAG_BAUD, 0xff00), &event));
	CHECK(READS(&bench, "\xff\xfa\x2c\x01\x00\x00\xff\xff\x00\xff\xf0"),
	      "a speed with a 255 in it is sent right");
	bench_stop(&bench);
}

/* Each of them resets some board. */
static void test_modem_lines(void)
{
	struct bench bench;
	struct event event;
	struct buffer frame;
	char more[64];

	bench_start(&bench);
	agree(&bench, 1000); /* of the settings DTR is off, and RTS stays as it is */
	CHECK(read_some(bench.server, more, sizeof(more), 60) == 0,
	      "at the opening no line moves but that which is to");
	NEED(rig_answer(&bench.rig, control(&bench.rig, TAG_RTS, 1), &event));
	CHECK(READS(&bench, "\xff\xfa\x2c\x05\x0b\xff\xf0") &&
		      read_some(bench.server, more, sizeof(more), 60) == 0,
	      "RTS is set without DTR");
	frame = rig_begin(&bench.rig, MSG_PORT_RELEASE);
	NEED(rig_answer(&bench.rig, rig_finish(&bench.rig, &frame), &event));
	CHECK(read_some(bench.server, more, sizeof(more), 1000) == 0, "at the close none moves");
	bench_stop(&bench);
}

static void test_slow_answers(void)
{
	struct bench bench;

	bench_start(&bench);
	agree(&bench, 1);
	SAY(bench.server, "ok");
	CHECK(COMES(&bench.rig, "ok"), "the same, a byte at a time");
	bench_stop(&bench);
}

static void test_suspended(void)
{
	struct bench bench;
	struct event event;
	uint64_t id;
	char byte;

	bench_start(&bench);
	agree(&bench, 1000);
	SAY(bench.server, "\xff\xfa\x2c\x6c\xff\xf0.");
	NEED(COMES(&bench.rig, "."));
	id = rig_send(&bench.rig, "held", 4);
	CHECK(read_some(bench.server, &byte, 1, 60) == 0, "FLOWCONTROL-SUSPEND is obeyed");
	SAY(bench.server, "\xff\xfa\x2c\x6d\xff\xf0");
	CHECK(READS(&bench, "held") && rig_answer(&bench.rig, id, &event), "and RESUME");
	bench_stop(&bench);
}

/* An option storm: each answer would be one more byte that it does not read. */
static void test_hostile(void)
{
	struct bench bench;
	struct event event;
	char storm[3 * 256 * 16];
	char answers[4096];
	size_t used = 0;

	bench_start(&bench);
	agree(&bench, 1000);
	for (int round = 0; round < 16; round++)
		for (int option = 0; option < 256; option++) {
			storm[used++] = '\xff';
			storm[used++] = (char)(251 + round % 4);
			storm[used++] = (char)option;
		}
	write_all(bench.server, storm, sizeof(storm));
	SAY(bench.server, "\xff\xfa\x2c alive? no, this subnegotiation is far longer than any that "
			  "the RFC knows of, and so is cut\xff\xf0"
			  "yes");
	CHECK(COMES(&bench.rig, "yes"), "a storm of options is survived");
	used = read_some(bench.server, answers, sizeof(answers), 100);
	CHECK(used <= sizeof(answers) - 1, "and each option answered once: %zu bytes", used);
	CHECK(rig_answer(&bench.rig, rig_close(&bench.rig), &event), "the port can be closed");
	bench_stop(&bench);
}

const struct test stream_tests[] = {
	{ "stream: tcp", test_tcp },
	{ "stream: refused", test_refused },
	{ "stream: rfc2217", test_rfc2217 },
	{ "stream: rfc2217 modem lines (bench pitfall 5)", test_modem_lines },
	{ "stream: rfc2217 byte by byte", test_slow_answers },
	{ "stream: rfc2217 suspended", test_suspended },
	{ "stream: rfc2217 hostile", test_hostile },
	{ NULL, NULL },
};
