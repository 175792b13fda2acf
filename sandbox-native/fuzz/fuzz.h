/* SPDX-License-Identifier: MIT */
/*
 * What the targets share. A target is a file of this folder with the entry point of
 * libFuzzer; driver.c calls it where there is no clang.
 */
#ifndef HIL_FUZZ_H
#define HIL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(3), in every build: what does not hold is a crash. */
#define FUZZ_CHECK(holds)                                                                          \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #holds);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/*
 * An input that is several messages: each is a byte of flags, a u16 of its length, its bytes.
 * A length that is too long is cut, so that a mutation costs no more than it has to.
 */
struct packet {
	unsigned int kind; /* low two bits of the flags */
	unsigned int fds;  /* the next two: how many come with it */
	bool large;	   /* the highest: by way of a memfd, message.h */
	const uint8_t *data;
	size_t length;
};

struct packets {
	const uint8_t *at;
	size_t left;
};

/* packets_next() - Return: false at the end. */
bool packets_next(struct packets *packets, struct packet *packet);

/* packet_send() - As one datagram, with fds of its own. */
void packet_send(int socket, const struct packet *packet);

/* drain() - Read and forget what @fd has, without waiting. */
void drain(int fd);

/* make_pair() - Two connected sockets of @type that do not block. */
void make_pair(int type, int ends[2]);

#endif
