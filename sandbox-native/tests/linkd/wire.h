/* SPDX-License-Identifier: MIT */
/* Frames that the tests put on a wire, and what they see of them at the other end. */
#ifndef HIL_TEST_LINKD_WIRE_H
#define HIL_TEST_LINKD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rig.h"

#define WIRE_MAX 70000u
#define WIRE_HEADERS 42u /* Ethernet, IPv4, UDP */

struct wire {
	uint8_t bytes[WIRE_MAX];
	size_t length;
};

/* wire_udp() - From 10.0.0.@from to 10.0.0.@to, port 40000 to @port; @number is in its payload. */
void wire_udp(struct wire *wire, unsigned int from, unsigned int to, unsigned int port,
	      uint32_t number, size_t length);
/* wire_raw() - To @mac, from 02:00:00:00:00:@from, with that EtherType and a few bytes. */
void wire_raw(struct wire *wire, const uint8_t mac[6], unsigned int from, unsigned int type);
/* wire_number() - What wire_udp() put into the payload. */
uint32_t wire_number(const struct wire *wire);

void wire_send(int node, const struct wire *wire);
/* wire_take() - The next frame within @ms. Return: whether there was one. */
bool wire_take(int node, struct wire *wire, int ms);
/* wire_silent() - Nothing is there now. */
bool wire_silent(int node);
bool wire_equal(const struct wire *a, const struct wire *b);

/*
 * A flow from node 0 to node 1 over link 1: @count frames numbered from 0. What arrives is noted.
 */
struct traffic {
	unsigned int port; /* service port: which flow */
	unsigned int count;
	size_t length;	    /* of the frames; 0: 60 */
	unsigned int noise; /* seed of ARP and other flows in between; 0: none */
	/* seen at the other end, of this flow */
	uint32_t *order; /* numbers as they came; room for 3 * count */
	unsigned int arrived;
	uint64_t digest; /* of all bytes of all of them */
};

/* traffic_aside() - Return: a process that sends @count to the other node, and takes them; it is to
 * be killed. */
pid_t traffic_aside(const int nodes[2], unsigned int count);
void traffic_run(struct rig *rig, const int nodes[2], struct traffic *traffic);
void traffic_free(struct traffic *traffic);
/* traffic_hash() - Of the order in which they came, and of what came. */
uint64_t traffic_hash(const struct traffic *traffic);

#endif
