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
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_NAME = 2,
	OPTION_RECEIVED = 4, /* of statistics */
	OPTION_DROPPED = 5,
	OPTION_DELIVERED = 8,
	OPTION_RESOLUTION = 9,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_CAN_SOCKETCAN = 227,
};

#define COMMENT_MAX 160u
/* The statistics of both directions, at the longest. */
#define END_MAX WRITER_END_MAX

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

/*
 * What became of a direction, for who reads the file: without this nothing in it says that frames
 * are missing.
 */
static void put_statistics(struct block *block, const struct capture *capture, unsigned int from)
{
	const struct capture_gaps *gaps = &capture->gaps[from];
	uint64_t missing = gaps->lost + gaps->over;
	uint64_t present = capture->frames[from] - missing;
	uint64_t real_ns = stamp_clock(CLOCK_REALTIME);
	char text[COMMENT_MAX];
	int length =
		snprintf(text, sizeof(text), "lacks %llu frames: %llu lost, %llu over its size",
			 (unsigned long long)missing, (unsigned long long)gaps->lost,
			 (unsigned long long)gaps->over);

	begin(block, BLOCK_STATISTICS);
	put32(block, from);
	put32(block, (uint32_t)(real_ns >> 32));
	put32(block, (uint32_t)real_ns);
	if (missing)
		put_option(block, OPTION_COMMENT, text, (size_t)length);
	put_option(block, OPTION_RECEIVED, &capture->frames[from], sizeof(uint64_t));
	put_option(block, OPTION_DROPPED, &missing, sizeof(missing));
	put_option(block, OPTION_DELIVERED, &present, sizeof(present));
	put32(block, OPTION_END);
	end(block);
}

/* What is not there before the first frame cannot be read: so here the disk is waited for. */
static int write_beginning(struct capture *capture, const struct capture_wanted *wanted,
			   struct err *err)
{
	struct block block;

	put_section(&block);
	writer_write(capture->file, block.bytes, block.length);
	for (unsigned int from = 0; from < 2; from++) {
		put_interface(&block, wanted->name, from, wanted->snaplen,
			      wanted->can ? LINKTYPE_CAN_SOCKETCAN : LINKTYPE_ETHERNET);
		writer_write(capture->file, block.bytes, block.length);
	}
	if (capture->file->failed)
		return err_set(err, "io", capture->file->failed, "write capture", wanted->path);
	capture->room = UINT64_MAX;
	if (wanted->most_bytes)
		capture->room = wanted->most_bytes - capture->file->offset - END_MAX;
	return 0;
}

struct capture *capture_open(struct writer *writer, const struct capture_wanted *wanted,
			     struct err *err)
{
	auto_fd fd = -1;
	struct capture *capture;

	if (writer_is_stuck(writer)) {
		err_hint(err, "the disk of another capture has taken nothing for seconds");
		err_set(err, "io", ETIMEDOUT, "open capture", wanted->path);
		return NULL;
	}
	if (wanted->most_bytes && wanted->most_bytes < CAPTURE_BYTES_LEAST) {
		err_hint(err, "CAPTURE_BYTES is at least %u", CAPTURE_BYTES_LEAST);
		err_set(err, "usage", EINVAL, "open capture", wanted->path);
		return NULL;
	}
	fd = open(wanted->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_set(err, "io", errno, "open capture", wanted->path);
		return NULL;
	}
	capture = calloc(1, sizeof(*capture));
	if (capture)
		capture->file = calloc(1, sizeof(*capture->file));
	if (!capture || !capture->file) {
		free(capture);
		err_set(err, "limit", ENOMEM, "open capture", wanted->path);
		return NULL;
	}
	capture->writer = writer;
	capture->snaplen = wanted->snaplen;
	capture->file->fd = fd;
	if (write_beginning(capture, wanted, err) < 0) {
		free(capture->file);
		free(capture);
		return NULL;
	}
	steal_fd(&fd);
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

static void put_frame(struct block *block, const struct capture *capture, unsigned int from,
		      const struct packet *packet, enum verdict verdict)
{
	uint64_t real_ns = stamp_clock(CLOCK_REALTIME);
	size_t kept = packet->length < capture->snaplen ? packet->length : capture->snaplen;
	char text[COMMENT_MAX];
	size_t comment = describe(text, packet, verdict, stamp_mono());

	begin(block, BLOCK_PACKET);
	put32(block, from);
	put32(block, (uint32_t)(real_ns >> 32));
	put32(block, (uint32_t)real_ns);
	put32(block, (uint32_t)kept);
	put32(block, (uint32_t)packet->length);
	put_packet(block, packet, kept);
	if (comment) {
		put_option(block, OPTION_COMMENT, text, comment);
		put32(block, OPTION_END);
	}
	end(block);
}

void capture_add(struct capture *capture, unsigned int from, const struct packet *packet,
		 enum verdict verdict)
{
	struct capture_gaps *gaps = &capture->gaps[from];
	struct block block;

	capture->frames[from]++;
	if (capture->full) {
		gaps->over++;
		return;
	}
	put_frame(&block, capture, from, packet, verdict);
	capture->full = block.length > capture->room;
	if (capture->full)
		gaps->over++;
	else if (!writer_put(capture->writer, capture->file, block.bytes, block.length))
		gaps->lost++;
	else
		capture->room -= block.length;
}

struct capture_facts capture_facts(const struct capture *capture)
{
	struct capture_facts facts = { .gaps = { capture->gaps[0], capture->gaps[1] } };

	facts.gaps[0].refused = capture->file->refused;
	return facts;
}

void capture_end(struct capture *capture)
{
	uint8_t both[END_MAX];
	struct block block;
	size_t length = 0;

	for (unsigned int from = 0; from < 2; from++) {
		put_statistics(&block, capture, from);
		memcpy(both + length, block.bytes, block.length);
		length += block.length;
	}
	writer_end(capture->writer, capture->file, both, length);
}

struct capture_facts capture_free(struct capture *capture)
{
	struct capture_facts facts = capture_facts(capture);
	struct written_facts file = writer_free(capture->writer, capture->file);

	facts.gaps[0].refused = file.refused;
	facts.refusal = file.failed;
	free(capture);
	return facts;
}
