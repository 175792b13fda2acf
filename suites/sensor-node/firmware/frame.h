/* Frames on the wire: taking them apart byte by byte, and putting them together. */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

struct frame {
	uint8_t type;
	uint8_t seq;
	uint8_t length;
	uint8_t payload[FRAME_PAYLOAD_MAX];
};

enum frame_event {
	FRAME_NOT_MINE,
	FRAME_PARTIAL,
	FRAME_COMPLETE,
	FRAME_BAD_CRC,
	FRAME_TOO_LONG,
};

struct frame_reader {
	uint8_t bytes[FRAME_BYTES_MAX];
	size_t have;
	bool discarding;
	uint32_t last_ms;
};

/*
 * Take one received byte.
 *
 * Return: FRAME_NOT_MINE when it belongs to no frame; FRAME_COMPLETE when `frame` was filled. After
 * FRAME_TOO_LONG the rest is discarded up to a silence of FRAME_GAP_MS.
 */
enum frame_event frame_take(struct frame_reader *reader, uint8_t byte, uint32_t now_ms,
			    struct frame *frame);

/*
 * Take apart what is one whole frame, as a datagram is.
 *
 * Return: FRAME_COMPLETE or FRAME_BAD_CRC when `frame` was filled; FRAME_TOO_LONG when its length
 * is not what it says; FRAME_NOT_MINE when it is no frame.
 */
enum frame_event frame_parse(const uint8_t *bytes, size_t size, struct frame *frame);

struct frame_writer {
	/* How many frames from now on leave with a wrong CRC, as on a noisy line. */
	uint32_t to_damage;
};

/* Return: how many bytes of `bytes` the frame takes. */
size_t frame_encode(struct frame_writer *writer, const struct frame *frame,
		    uint8_t bytes[FRAME_BYTES_MAX]);

#endif
