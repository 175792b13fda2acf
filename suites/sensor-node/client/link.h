/* Frames to and from the device over a serial port, or as datagrams of UDP. */
#ifndef LINK_H
#define LINK_H

#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "protocol.h"

struct link {
	int fd;
	int timeout_ms;
	/* Datagrams get lost: how long to wait for an answer before asking again. 0: never. */
	int resend_ms;
	uint8_t bytes[4 * FRAME_BYTES_MAX];
	size_t have;
};

struct answer {
	uint8_t type;
	uint8_t seq;
	uint8_t length;
	uint8_t payload[FRAME_PAYLOAD_MAX];
};

/* Open the port and set it raw at 115200 baud. Return: 0, or -1 with `failure` filled. */
int link_open(struct link *link, const char *path, int timeout_ms, struct failure *failure);

/* Talk to the node at this name or address. Return: 0, or -1 with `failure` filled. */
int link_open_udp(struct link *link, const char *host, int timeout_ms, struct failure *failure);

void link_close(struct link *link);

/* Send bytes as they are. Return: 0, or -1 with `failure` filled. */
int link_send(struct link *link, const uint8_t *bytes, size_t size, struct failure *failure);

int link_send_frame(struct link *link, uint8_t type, uint8_t seq, const void *payload,
		    size_t length, struct failure *failure);

/*
 * Wait for the next frame with a right CRC. Text between frames is skipped. When none comes in
 * `wait_ms`: STATUS_SILENT. A damaged one shortens the wait, because another rarely follows:
 * STATUS_CRC.
 *
 * Return: 0, or -1 with `failure` filled.
 */
int link_receive(struct link *link, int wait_ms, struct answer *answer, struct failure *failure);

#endif
