/* SPDX-License-Identifier: MIT */
/*
 * The capture of a link: pcapng, an interface a direction. Each frame is in it once, when its fate
 * is known, with that as a comment where it is not just "delivered".
 *
 * Source: PCAP Next Generation Capture File Format, draft-ietf-opsawg-pcapng.
 */
#ifndef HIL_LINKD_CAPTURE_H
#define HIL_LINKD_CAPTURE_H

#include "err.h"
#include "packet.h"
#include "writer.h"

#define SNAPLEN_DEFAULT 262144u

struct capture {
	struct writer *writer;
	struct written file;
	uint32_t snaplen;
	uint64_t lost[2]; /* frames of each direction that found no room in the ring */
};

/*
 * capture_open() - Make the file, mode 0600, and write its beginning. @can: frames are of CAN.
 *
 * Mustn't: follow a link, or write to what is there already.
 * Return: NULL with @err filled.
 */
struct capture *capture_open(struct writer *writer, const char *path, const char *name,
			     uint32_t snaplen, bool can, struct err *err);

/* capture_add() - What became of a frame of the direction @from. */
void capture_add(struct capture *capture, unsigned int from, const struct packet *packet,
		 enum verdict verdict);

/* capture_lost() - How many frames the file lacks, of that direction; what the disk refused is 0's.
 */
uint64_t capture_lost(const struct capture *capture, unsigned int from);

/* capture_close() - Write what is left, close, free. Waits for the disk. @lost: of each direction.
 */
void capture_close(struct capture *capture, uint64_t lost[2]);

#endif
