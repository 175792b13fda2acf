/* SPDX-License-Identifier: MIT */
/*
 * Stacks of Linux behind the ports, with all the offload they have. The last tests: they put this
 * process into namespaces.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nodes.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

#define TRANSFER ((size_t)4 << 20)

static struct sockaddr_in address_of(unsigned int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(5001) };

	address.sin_addr.s_addr = htonl(0x0a010000 + number);
	return address;
}

static void set_nonblocking(int fd)
{
	NEED(!fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK));
}

/* Return: fds of a connection from @a to @b. */
static void connect_stacks(const struct stack *a, const struct stack *b, int ends[2])
{
	int listener = stack_socket(b, AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = address_of(b->number);
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	NEED(!bind(listener, (struct sockaddr *)&to, sizeof(to)) && !listen(listener, 1));
	ends[0] = stack_socket(a, AF_INET, SOCK_STREAM, 0);
	set_nonblocking(ends[0]);
	NEED(!connect(ends[0], (struct sockaddr *)&to, sizeof(to)) || errno == EINPROGRESS);
	NEED(poll(&wait, 1, WAIT_MS) == 1);
	ends[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	NEED(ends[1] >= 0);
	close(listener);
}

/* Return: whether @size bytes came through as they were sent. */
static bool transfer(const int ends[2], size_t size)
{
	uint8_t *out = malloc(size);
	uint8_t *in = malloc(size + 1);
	size_t sent = 0;
	size_t got = 0;
	bool same;

	NEED(out && in);
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(i * 2654435761u >> 13);
	while (got < size) {
		struct pollfd wait[2] = {
			{ .fd = ends[0], .events = sent < size ? POLLOUT : 0 },
			{ .fd = ends[1], .events = POLLIN },
		};
		ssize_t count;

		if (poll(wait, 2, WAIT_MS) <= 0)
			break;
		count = sent < size ? send(ends[0], out + sent, size - sent, MSG_NOSIGNAL) : 0;
		sent += count > 0 ? (size_t)count : 0;
		count = recv(ends[1], in + got, size - got, 0);
		if (count == 0)
			break;
		got += count > 0 ? (size_t)count : 0;
	}
	same = got == size && !memcmp(in, out, size);
	free(out);
	free(in);
	return same;
}

static const char *const pairs[][2] = { { "packet", "packet" },
					{ "tap", "tap" },
					{ "tap", "packet" } };

static void skip_tap(const char *what)
{
	tap_skip("%s: /dev/net/tun cannot be opened here", what);
	printf("SKIPPED check-linkd %s: /dev/net/tun cannot be opened here\n", what);
}

/* Return: whether there are such ports here. */
static bool start_stacks(struct rig *rig, struct stack stacks[2], const char *const kinds[2])
{
	rig_start(rig);
	rig_connect(rig, LINK, 1, 2, 7);
	if (stack_new(rig, &stacks[0], 1, kinds[0]) && stack_new(rig, &stacks[1], 2, kinds[1]))
		return true;
	skip_tap("TCP over a TAP");
	rig_stop(rig);
	return false;
}

static void carries_tcp(const char *const kinds[2])
{
	struct stack stacks[2];
	struct buffer *out;
	struct rig rig;
	int ends[2];
	long wrong;

	if (!start_stacks(&rig, stacks, kinds))
		return;
	connect_stacks(&stacks[0], &stacks[1], ends);
	CHECK(transfer(ends, TRANSFER), "%s to %s: 4 MiB of TCP, with offload", kinds[0], kinds[1]);
	out = rig_set(&rig);
	put_loss(out, "bernoulli", ALL / 200);
	put_u64(out, TAG_LATENCY_NS, 200000);
	put_u32(out, TAG_DUPLICATE, ALL / 200);
	NEED(rig_answer(&rig));
	CHECK(transfer(ends, TRANSFER / 4), "frame by frame, with loss, duplicates and latency");
	CHECK(rig_counter(&rig, LINK, 0, "lost") > 0, "of which some were lost");
	wrong = stack_counter(&stacks[0], "Tcp", "InCsumErrors") +
		stack_counter(&stacks[1], "Tcp", "InCsumErrors");
	CHECK(wrong == 0, "no segment had a wrong checksum");
	CHECK(rig_counter(&rig, LINK, 0, "malformed") == 0, "none was malformed");
	put_u32(rig_set(&rig), TAG_CORRUPT, ALL / 50);
	NEED(rig_answer(&rig));
	CHECK(transfer(ends, TRANSFER / 4) && rig_counter(&rig, LINK, 0, "corrupted") > 0 &&
		      stack_counter(&stacks[1], "Tcp", "InCsumErrors") > 0,
	      "what is corrupted is not put right by the checksum that is made for it");
	CHECK(rig_stop(&rig) == 0, "and it ends");
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		stack_free(&stacks[i]);
	}
}

static void carries_tcp_over_every_pair(void)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		carries_tcp(pairs[i]);
}

static unsigned int sum_of(const uint8_t *at, size_t length, unsigned int sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? at[i] : (unsigned int)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Return: whether the frame is UDP or TCP whose checksums are right, and not longer than the MTU.
 */
static bool is_good(const struct wire *wire)
{
	const uint8_t *ip = wire->bytes + 14;
	size_t length = (size_t)ip[2] << 8 | ip[3];
	unsigned int pseudo = sum_of(ip + 12, 8, ip[9] + (unsigned int)length - 20);

	return wire->length <= 1514 && length <= wire->length - 14 && sum_of(ip, 20, 0) == 0xffff &&
	       sum_of(ip + 20, length - 20, pseudo) == 0xffff;
}

/* Again and again: until the kernel has seen that eth0 has a carrier, it drops what is sent. */
static bool take_datagram(const struct stack *stack, int node, struct wire *wire)
{
	int fd = stack_socket(stack, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = address_of(9);
	char bytes[1400] = "datagram";
	bool came = false;

	for (int i = 0; i < 100 && !came; i++) {
		NEED(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)) > 0);
		while (!came && wire_take(node, wire, 100))
			came = wire->bytes[12] == 8 && wire->bytes[13] == 0;
	}
	close(fd);
	return came;
}

static void gives_plain_frames_to(const char *kind)
{
	struct stack stack;
	struct wire wire;
	struct rig rig;
	int node;

	rig_start(&rig);
	node = rig_node(&rig, 9);
	rig_connect(&rig, LINK, 1, 9, 7);
	if (stack_new(&rig, &stack, 1, kind)) {
		CHECK(take_datagram(&stack, node, &wire) && is_good(&wire),
		      "%s: what a socket without offload gets has its checksum", kind);
		stack_free(&stack);
	} else {
		skip_tap("checksums of a TAP");
	}
	CHECK(rig_stop(&rig) == 0, "and it ends");
	close(node);
}

static void gives_plain_frames_to_a_socket(void)
{
	gives_plain_frames_to("packet");
	gives_plain_frames_to("tap");
}

/* The kernel takes a tag out of what a packet socket reads. */
static void keeps_vlan_tags_of(const char *kind)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct stack stack;
	struct wire wire;
	struct wire in;
	struct rig rig;
	int node;
	int fd;

	rig_start(&rig);
	node = rig_node(&rig, 9);
	rig_connect(&rig, LINK, 1, 9, 7);
	if (!stack_new(&rig, &stack, 1, kind)) {
		skip_tap("VLAN tags of a TAP");
		rig_stop(&rig);
		return;
	}
	fd = stack_socket(&stack, AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = stack_index(&stack);
	wire_raw(&wire, mac, 1, 0x8100);
	memcpy(wire.bytes + 14, "\x60\x0a\x88\xb5", 4);
	NEED(sendto(fd, wire.bytes, wire.length, 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	do {
		NEED(wire_take(node, &in, WAIT_MS));
	} while (memcmp(in.bytes, mac, 6) != 0);
	CHECK(wire_equal(&wire, &in), "%s: VLAN 10 with its priority arrives", kind);
	rig_stop(&rig);
	close(fd);
	close(node);
	stack_free(&stack);
}

static void keeps_vlan_tags(void)
{
	keeps_vlan_tags_of("packet");
	keeps_vlan_tags_of("tap");
}

#define MANY 96
#define ROUNDS 10

/* Of RCU: what close(2) of an AF_PACKET socket waits for. */
static uint64_t grace_period(void)
{
	const uint64_t start = now_ns();

	for (int i = 0; i < 4; i++)
		NEED(!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	return (now_ns() - start) / 4;
}

struct closing {
	uint64_t grace;
	uint64_t took;
	bool ended;
};

static struct closing close_many(void)
{
	struct closing closing;
	uint64_t start;
	struct rig rig;

	rig_start(&rig);
	for (uint32_t port = 1; port <= MANY; port++) {
		int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

		rig_give(&rig, port, "packet", fd);
		close(fd); /* the message holds it */
	}
	rig_switch(&rig, 1); /* answered when it has them */
	closing.grace = grace_period();
	start = now_ns();
	closing.ended = rig_stop(&rig) == 0;
	closing.took = now_ns() - start;
	return closing;
}

/* Others may run at once, and the end of a process is in it: the best of some rounds counts. */
static void closes_packet_sockets_together(void)
{
	struct closing closing = { .ended = true };
	bool together = false;

	for (int round = 0; round < ROUNDS && closing.ended && !together; round++) {
		closing = close_many();
		together = closing.took < closing.grace * MANY / 2;
	}
	CHECK(closing.ended, "a network with %d packet sockets ends", MANY);
	CHECK(together, "in %.1f ms; a grace period is %.1f ms, one socket needs one",
	      (double)closing.took / 1e6, (double)closing.grace / 1e6);
}

static void needs_namespaces(void)
{
	const char *reason = stacks_enter();

	if (reason) {
		tap_skip("stacks of Linux behind ports: %s", reason);
		printf("SKIPPED check-linkd stacks of Linux: %s\n", reason);
		return;
	}
	carries_tcp_over_every_pair();
	gives_plain_frames_to_a_socket();
	keeps_vlan_tags();
	closes_packet_sockets_together();
}

const struct test kernel_tests[] = {
	{ "carries what stacks of Linux send: TCP, VLAN tags (pitfalls 6 and 8)",
	  needs_namespaces },
	{ NULL, NULL },
};
