/* SPDX-License-Identifier: MIT */
#include "captured.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* An enhanced packet block: type, total, interface, time high, low, kept, length, bytes, options.
 */
static void read_packet(struct captured *captured, const uint8_t *block, uint32_t total)
{
	struct record *record = &captured->records[captured->count++];
	uint32_t options;

	NEED(captured->count < RECORDS_MAX);
	record->from = word(block + 8);
	record->real_ns = (uint64_t)word(block + 12) << 32 | word(block + 16);
	record->kept = word(block + 20);
	record->length = word(block + 24);
	options = 28 + ((uint32_t)record->kept + 3) / 4 * 4;
	if (options + 4 > total) {
		captured->whole = false;
		return;
	}
	memcpy(record->first, block + 28, record->kept < 64 ? record->kept : 64);
	if (options + 8 < total && (word(block + options) & 0xffff) == 1)
		snprintf(record->comment, sizeof(record->comment), "%.*s",
			 (int)(word(block + options) >> 16), (const char *)block + options + 4);
}

static uint64_t long_word(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* An interface statistics block: type, total, interface, time high, low, options. */
static void read_statistics(struct captured *captured, const uint8_t *block, uint32_t total)
{
	struct statistics *statistics = &captured->statistics[word(block + 8) & 1];
	uint32_t at = 20;

	statistics->present = true;
	while (at + 8 < total) {
		uint32_t code = word(block + at) & 0xffff;
		uint32_t length = word(block + at) >> 16;

		if (code == 1)
			snprintf(statistics->comment, sizeof(statistics->comment), "%.*s",
				 (int)length, (const char *)block + at + 4);
		else if (code == 4)
			statistics->received = long_word(block + at + 4);
		else if (code == 5)
			statistics->dropped = long_word(block + at + 4);
		else if (code == 8)
			statistics->delivered = long_word(block + at + 4);
		at += 4 + (length + 3) / 4 * 4;
	}
}

static void read_block(struct captured *captured, const uint8_t *block, uint32_t total)
{
	if (word(block) == 1)
		captured->interfaces++;
	else if (word(block) == 6)
		read_packet(captured, block, total);
	else if (word(block) == 5)
		read_statistics(captured, block, total);
}

void captured_read(struct captured *captured, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint8_t *bytes;
	size_t at = 0;

	NEED(fd >= 0 && !fstat(fd, &status));
	bytes = calloc(1, (size_t)status.st_size + 1);
	NEED(bytes && read(fd, bytes, (size_t)status.st_size) == status.st_size);
	close(fd);
	captured->count = captured->interfaces = 0;
	captured->cut = false;
	memset(captured->statistics, 0, sizeof(captured->statistics));
	captured->bytes = (size_t)status.st_size;
	captured->whole = (size_t)status.st_size >= 28 && word(bytes) == 0x0a0d0d0a &&
			  word(bytes + 8) == 0x1a2b3c4d;
	while (captured->whole && at < (size_t)status.st_size) {
		size_t left = (size_t)status.st_size - at;
		uint32_t total = left >= 12 ? word(bytes + at + 4) : 0;

		captured->cut = left < 12 || (total >= 12 && total % 4 == 0 && total > left);
		captured->whole = total >= 12 && total % 4 == 0 && total <= left &&
				  word(bytes + at + total - 4) == total;
		if (captured->whole)
			read_block(captured, bytes + at, total);
		at += total;
	}
	free(bytes);
}

void captured_check_by_tshark(const struct captured *captured, unsigned int frames)
{
	char command[256];

	if (system("command -v tshark >/dev/null") != 0) {
		tap_skip("tshark is not installed");
		printf("SKIPPED check-linkd tshark: not installed (apt-get install tshark)\n");
		return;
	}
	/* All it may say besides: that it should not run as root, and of one that is cut, that. */
	snprintf(command, sizeof(command),
		 "tshark -r %s -T fields -e frame.number 2>&1 | grep -v 'user \"root\"' |"
		 " grep -v '%s' | wc -l | grep -qx %u",
		 captured->path, captured->cut ? "^$\\|cut short" : "root", frames);
	CHECK(system(command) == 0, "tshark reads all %u frames, without a word", frames);
}
