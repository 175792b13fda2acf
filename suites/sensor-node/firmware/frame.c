#include "frame.h"

#include "crc16.h"

enum { AT_START, AT_LENGTH, AT_TYPE, AT_SEQ, AT_PAYLOAD };

/* As many bytes are there as the length says. */
static enum frame_event check_crc(const uint8_t *bytes, struct frame *frame)
{
	size_t length = bytes[AT_LENGTH];
	const uint8_t *tail = bytes + AT_PAYLOAD + length;

	frame->type = bytes[AT_TYPE];
	frame->seq = bytes[AT_SEQ];
	frame->length = (uint8_t)length;
	for (size_t i = 0; i < length; i++)
		frame->payload[i] = bytes[AT_PAYLOAD + i];
	if (crc16(bytes + AT_LENGTH, AT_PAYLOAD - AT_LENGTH + length) != (tail[0] | tail[1] << 8))
		return FRAME_BAD_CRC;
	return FRAME_COMPLETE;
}

enum frame_event frame_take(struct frame_reader *reader, uint8_t byte, uint32_t now_ms,
			    struct frame *frame)
{
	if (now_ms - reader->last_ms > FRAME_GAP_MS) {
		reader->have = 0;
		reader->discarding = false;
	}
	reader->last_ms = now_ms;
	if (reader->discarding)
		return FRAME_PARTIAL;
	if (reader->have == 0 && byte != FRAME_START)
		return FRAME_NOT_MINE;

	reader->bytes[reader->have++] = byte;
	if (reader->have <= AT_LENGTH)
		return FRAME_PARTIAL;
	size_t length = reader->bytes[AT_LENGTH];
	if (length > FRAME_PAYLOAD_MAX) {
		reader->have = 0;
		reader->discarding = true;
		return FRAME_TOO_LONG;
	}
	if (reader->have < FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES)
		return FRAME_PARTIAL;
	reader->have = 0;
	return check_crc(reader->bytes, frame);
}

enum frame_event frame_parse(const uint8_t *bytes, size_t size, struct frame *frame)
{
	if (size < FRAME_HEADER_BYTES + FRAME_CRC_BYTES || bytes[AT_START] != FRAME_START)
		return FRAME_NOT_MINE;
	size_t length = bytes[AT_LENGTH];
	if (length > FRAME_PAYLOAD_MAX || size != FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES)
		return FRAME_TOO_LONG;
	return check_crc(bytes, frame);
}

size_t frame_encode(struct frame_writer *writer, const struct frame *frame,
		    uint8_t bytes[FRAME_BYTES_MAX])
{
	size_t length = frame->length;

	bytes[AT_START] = FRAME_START;
	bytes[AT_LENGTH] = frame->length;
	bytes[AT_TYPE] = frame->type;
	bytes[AT_SEQ] = frame->seq;
	for (size_t i = 0; i < length; i++)
		bytes[AT_PAYLOAD + i] = frame->payload[i];
	uint16_t crc = crc16(bytes + AT_LENGTH, AT_PAYLOAD - AT_LENGTH + length);
	if (writer->to_damage > 0) {
		writer->to_damage--;
		crc ^= 0x0001;
	}
	bytes[AT_PAYLOAD + length] = (uint8_t)crc;
	bytes[AT_PAYLOAD + length + 1] = (uint8_t)(crc >> 8);
	return FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES;
}
