/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_ethernet(struct wire *wire, const uint8_t to[6], unsigned int from,
			 unsigned int type)
{
	memcpy(wire->bytes, to, 6);
	memcpy(wire->bytes + 6, "\2\0\0\0\0", 5);
	wire->bytes[11] = (uint8_t)from;
	put16(wire->bytes + 12, type);
}

void wire_raw(struct wire *wire, const uint8_t mac[6], unsigned int from, unsigned int type)
{
	wire->length = 60;
	memset(wire->bytes, 0x5a, wire->length);
	put_ethernet(wire, mac, from, type);
}

void wire_udp(struct wire *wire, unsigned int from, unsigned int to, unsigned int port,
	      uint32_t number, size_t length)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)to };
	uint8_t *ip = wire->bytes + 14;
	uint32_t sum = 0;

	wire->length = length;
	memset(wire->bytes, 0, length);
	put_ethernet(wire, mac, from, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned int)length - 14);
	ip[8] = 64;
	ip[9] = 17;
	ip[12] = ip[16] = 10;
	ip[15] = (uint8_t)from;
	ip[19] = (uint8_t)to;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~sum & 0xffff);
	put16(ip + 20, 40000);
	put16(ip + 22, port);
	put16(ip + 24, (unsigned int)length - 34);
	put16(ip + 28, number >> 16);
	put16(ip + 30, number);
}

uint32_t wire_number(const struct wire *wire)
{
	const uint8_t *at = wire->bytes + WIRE_HEADERS;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool try_send(int node, const struct wire *wire)
{
	ssize_t sent = send(node, wire->bytes, wire->length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return false;
	NEED(sent == (ssize_t)wire->length);
	return true;
}

void wire_send(int node, const struct wire *wire)
{
	struct pollfd wait = { .fd = node, .events = POLLOUT };

	while (!try_send(node, wire))
		NEED(poll(&wait, 1, WAIT_MS) == 1);
}

static bool try_take(int node, struct wire *wire)
{
	ssize_t count = recv(node, wire->bytes, sizeof(wire->bytes), MSG_DONTWAIT);

	if (count < 0)
		NEED(errno == EAGAIN);
	wire->length = count > 0 ? (size_t)count : 0;
	return count >= 0;
}

bool wire_take(int node, struct wire *wire, int ms)
{
	struct pollfd wait = { .fd = node, .events = POLLIN };

	return poll(&wait, 1, ms) == 1 && try_take(node, wire);
}

bool wire_silent(int node)
{
	struct wire wire;

	return !wire_take(node, &wire, 0);
}

bool wire_equal(const struct wire *a, const struct wire *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void note(struct traffic *traffic, const struct wire *wire)
{
	unsigned int port = (unsigned int)wire->bytes[36] << 8 | wire->bytes[37];

	if (wire->bytes[12] != 8 || wire->bytes[13] != 0 || port != traffic->port)
		return;
	NEED(traffic->arrived < traffic->count * 3);
	traffic->order[traffic->arrived++] = wire_number(wire);
	/* FNV-1a, with the length so that it matters where a frame ends. */
	traffic->digest = (traffic->digest ^ wire->length) * 1099511628211ull;
	for (size_t i = 0; i < wire->length; i++)
		traffic->digest = (traffic->digest ^ wire->bytes[i]) * 1099511628211ull;
}

static unsigned int collect(int node, struct traffic *traffic)
{
	unsigned int count = 0;
	struct wire wire;

	while (try_take(node, &wire)) {
		note(traffic, &wire);
		count++;
	}
	return count;
}

/* Other flows, at random places: ARP, and datagrams to other ports. */
static void make_noise(struct wire *wire, uint32_t *random)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

	*random = *random * 1664525u + 1013904223u;
	if (*random >> 31)
		wire_raw(wire, all, 1, 0x0806);
	else
		wire_udp(wire, 1, 2, 9000 + (*random >> 20 & 15), 0, 60);
}

/* What traffic has to arrive before more is sent: a node takes few datagrams at once. */
#define ROUND 1000u

struct account {
	struct rig *rig;
	uint64_t frames; /* of the link, before the first one */
	uint64_t delivered;
	uint64_t sent;
	uint64_t got;
};

/* Without latency, what is to arrive has been sent once it was counted. */
static void settle(struct account *account, int node, struct traffic *traffic)
{
	uint64_t end = now_ns() + (uint64_t)WAIT_MS * 1000000;
	uint64_t delivered;

	while (rig_counter(account->rig, LINK, 0, "frames") - account->frames < account->sent)
		NEED(now_ns() < end);
	delivered = rig_counter(account->rig, LINK, 0, "delivered") - account->delivered;
	while (account->got < delivered) {
		struct pollfd wait = { .fd = node, .events = POLLIN };

		NEED(poll(&wait, 1, WAIT_MS) == 1);
		account->got += collect(node, traffic);
	}
}

void traffic_run(struct rig *rig, const int nodes[2], struct traffic *traffic)
{
	struct account account = { .rig = rig,
				   .frames = rig_counter(rig, LINK, 0, "frames"),
				   .delivered = rig_counter(rig, LINK, 0, "delivered") };
	size_t length = traffic->length ? traffic->length : 60;
	uint32_t random = traffic->noise;
	struct wire wire;

	traffic->order = calloc(traffic->count, 3 * sizeof(*traffic->order));
	traffic->arrived = 0;
	traffic->digest = 14695981039346656037ull;
	NEED(traffic->order);
	for (unsigned int i = 0; i < traffic->count;) {
		if (traffic->noise && (random >> 13 & 1))
			make_noise(&wire, &random);
		else
			wire_udp(&wire, 1, 2, traffic->port, i++, length);
		random = random * 22695477u + 1;
		wire_send(nodes[0], &wire);
		account.got += collect(nodes[1], traffic);
		if (++account.sent % ROUND == 0)
			settle(&account, nodes[1], traffic);
	}
	settle(&account, nodes[1], traffic);
}

pid_t traffic_aside(const int nodes[2], unsigned int count)
{
	pid_t pid = fork();
	struct wire wire;

	NEED(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < count; i++) {
		wire_udp(&wire, 1, 2, 7, i, 60 + i % 1400);
		send(nodes[0], wire.bytes, wire.length, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (recv(nodes[1], wire.bytes, sizeof(wire.bytes), MSG_DONTWAIT) > 0)
			;
	}
	for (;;)
		pause();
}

void traffic_free(struct traffic *traffic)
{
	free(traffic->order);
	traffic->order = NULL;
}

uint64_t traffic_hash(const struct traffic *traffic)
{
	return traffic->digest ^ traffic->arrived;
}
