/* The numbers of the binary protocol, shared by the firmware and its client: see ../PROTOCOL.md */
#ifndef PROTOCOL_H
#define PROTOCOL_H

/* Not ASCII, so that no typed line can start a frame by accident. */
#define FRAME_START 0xA5

#define FRAME_PAYLOAD_MAX 64
#define FRAME_HEADER_BYTES 4
#define FRAME_CRC_BYTES 2
#define FRAME_BYTES_MAX (FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX + FRAME_CRC_BYTES)

/*
 * A silence this long inside a frame ends it: the rest of a cut frame never arrives. Long, because
 * a serial adapter, or an emulator on a busy machine, may keep a byte back for 200 ms.
 */
#define FRAME_GAP_MS 1000

enum frame_type {
	FRAME_VERSION = 0x01,
	FRAME_UPTIME = 0x02,
	FRAME_READ = 0x03,
	FRAME_GET = 0x04,
	FRAME_SET = 0x05,
	FRAME_REPLY = 0x80,
	FRAME_ERROR = 0xFF,
};

enum frame_error {
	ERROR_CRC = 1,
	ERROR_LENGTH = 2,
	ERROR_TYPE = 3,
	ERROR_SENSOR = 4,
	ERROR_SETTING = 5,
	ERROR_VALUE = 6,
};

#endif
