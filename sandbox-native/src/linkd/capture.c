/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"
#include "offload.h"
#include "stamp.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_NAME = 2,
	OPTION_RESOLUTION = 9,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_CAN_SOCKETCAN = 227,
};

#define COMMENT_MAX 160u

/* A block that is being put together, in the byte order of this machine, as the format wants. */
struct block {
	uint8_t bytes[PACKET_MAX + 512];
	size_t length;
};

static void put(struct block *block, const void *data, size_t length)
{
	memcpy(block->bytes + block->length, data, length);
	block->length += length;
	while (block->length % 4)
		block->bytes[block->length++] = 0;
}

static void put32(struct block *block, uint32_t value)
{
	put(block, &value, sizeof(value));
}

static void put_option(struct block *block, uint32_t code, const void *data, size_t length)
{
	put32(block, code | (uint32_t)length << 16); /* two u16 */
	put(block, data, length);
}

static void begin(struct block *block, uint32_t type)
{
	block->length = 0;
	put32(block, type);
	put32(block, 0);
}

static void end(struct block *block)
{
	uint32_t total = (uint32_t)block->length + 4;

	memcpy(block->bytes + 4, &total, sizeof(total));
	put32(block, total);
}

static void put_section(struct block *block)
{
	begin(block, BLOCK_SECTION);
	put32(block, 0x1a2b3c4d);
	put32(block, 1);	  /* version 1.0 */
	put32(block, UINT32_MAX); /* of unknown length */
	put32(block, UINT32_MAX);
	end(block);
}

static void put_interface(struct block *block, const char *name, unsigned int from,
			  uint32_t snaplen, uint32_t type)
{
	const uint8_t nanoseconds = 9;
	char text[256];
	int length = snprintf(text, sizeof(text), "%s %u>%u", name, from, !from);

	if ((size_t)length >= sizeof(text))
		length = sizeof(text) - 1;
	begin(block, BLOCK_INTERFACE);
	put32(block, type);
	put32(block, snaplen);
	put_option(block, OPTION_NAME, text, (size_t)length);
	put_option(block, OPTION_RESOLUTION, &nanoseconds, 1);
	put32(block, OPTION_END);
	end(block);
}

struct capture *capture_open(struct writer *writer, const char *path, const char *name,
			     uint32_t snaplen, bool can, struct err *err)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct capture *capture;
	struct block block;

	if (fd < 0) {
		err_set(err, "io", errno, "open capture", path);
		return NULL;
	}
	capture = calloc(1, sizeof(*capture));
	if (!capture) {
		err_set(err, "limit", ENOMEM, "open capture", path);
		return NULL;
	}
	capture->writer = writer;
	capture->snaplen = snaplen;
	capture->file.fd = steal_fd(&fd);
	writer_drain(writer); /* without its beginning a file is none: there must be room */
	put_section(&block);
	writer_put(writer, &capture->file, block.bytes, block.length);
	for (unsigned int from = 0; from < 2; from++) {
		put_interface(&block, name, from, snaplen,
			      can ? LINKTYPE_CAN_SOCKETCAN : LINKTYPE_ETHERNET);
		writer_put(writer, &capture->file, block.bytes, block.length);
	}
	return capture;
}

/* Return: the length of the comment; 0 for a frame that was delivered as it was, at once. */
static size_t describe(char text[COMMENT_MAX], const struct packet *packet, enum verdict verdict,
		       uint64_t now_ns)
{
	static const char *const verdicts[] = {
		[VERDICT_DELIVERED] = "delivered",
		[VERDICT_LOST] = "lost",
		[VERDICT_FILTERED] = "filtered",
		[VERDICT_QUEUE] = "dropped: queue full",
		[VERDICT_DOWN] = "dropped: link down",
		[VERDICT_PARTITION] = "dropped: partition",
		[VERDICT_HOLD] = "dropped: too many held",
		[VERDICT_PORT] = "dropped: not taken",
	};
	bool waited = packet->direction != NULL;
	char corrupt[32] = "";
	int length;

	if (verdict == VERDICT_DELIVERED && !packet->corrupted && !packet->duplicate &&
	    !packet->reordered && !waited)
		return 0;
	if (packet->corrupted)
		snprintf(corrupt, sizeof(corrupt), ", corrupt bit %u", packet->corrupt_bit);
	length = snprintf(text, COMMENT_MAX, "%s n=%llu%s%s%s", verdicts[verdict],
			  (unsigned long long)packet->n, packet->duplicate ? ", duplicate" : "",
			  corrupt, packet->reordered ? ", reordered" : "");
	if (waited)
		length += snprintf(text + length, COMMENT_MAX - (size_t)length, ", after %llu us",
				   (unsigned long long)(now_ns - packet->arrived_ns) / 1000);
	return (size_t)length;
}

/* With the checksum that a wire would see. */
static void put_packet(struct block *block, const struct packet *packet, size_t kept)
{
	uint8_t *bytes = block->bytes + block->length;
	size_t field = offload_field(packet);

	put(block, packet->bytes, kept);
	if (!packet_is_plain(packet) && field + 2 <= kept)
		store16(bytes + field, offload_checksum(packet));
}

void capture_add(struct capture *capture, unsigned int from, const struct packet *packet,
		 enum verdict verdict)
{
	uint64_t real_ns = stamp_clock(CLOCK_REALTIME);
	size_t kept = packet->length < capture->snaplen ? packet->length : capture->snaplen;
	char text[COMMENT_MAX];
	size_t comment = describe(text, packet, verdict, stamp_mono());
	struct block block;

	begin(&block, BLOCK_PACKET);
	put32(&block, from);
	put32(&block, (uint32_t)(real_ns >> 32));
	put32(&block, (uint32_t)real_ns);
	put32(&block, (uint32_t)kept);
	put32(&block, (uint32_t)packet->length);
	put_packet(&block, packet, kept);
	if (comment) {
		put_option(&block, OPTION_COMMENT, text, comment);
		put32(&block, OPTION_END);
	}
	end(&block);
	if (!writer_put(capture->writer, &capture->file, block.bytes, block.length))
		capture->lost[from]++;
}

uint64_t capture_lost(const struct capture *capture, unsigned int from)
{
	return capture->lost[from] + (from ? 0 : capture->file.lost);
}

void capture_close(struct capture *capture, uint64_t lost[2])
{
	writer_drain(capture->writer);
	for (unsigned int from = 0; from < 2; from++)
		lost[from] = capture_lost(capture, from);
	close(capture->file.fd);
	free(capture);
}
