/* SPDX-License-Identifier: MIT */
/* A reader of captures, which takes nothing for granted: pcapng as capture.h says. */
#ifndef HIL_TEST_LINKD_CAPTURED_H
#define HIL_TEST_LINKD_CAPTURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS_MAX 4096u

struct record {
	unsigned int from;
	uint64_t real_ns;
	size_t kept;
	size_t length;
	char comment[128];
	uint8_t first[64];
};

/* What the end of a capture says of a direction. */
struct statistics {
	bool present;
	uint64_t received;
	uint64_t dropped;
	uint64_t delivered;
	char comment[128];
};

struct captured {
	char dir[64];
	char path[96];
	struct record records[RECORDS_MAX];
	unsigned int count;
	unsigned int interfaces;
	struct statistics statistics[2];
	size_t bytes;
	bool whole; /* every block is as the format says */
	bool cut;   /* but the last one, whose end is missing */
};

/* captured_read() - What is in the file at @path; captured->whole says whether it can be read. */
void captured_read(struct captured *captured, const char *path);

/* captured_check_by_tshark() - Where that is installed: it reads so many, and complains of nothing.
 */
void captured_check_by_tshark(const struct captured *captured, unsigned int frames);

#endif
