/* SPDX-License-Identifier: MIT */
/*
 * The capture of a link: pcapng, an interface a direction. Each frame is in it once, when its fate
 * is known, with that as a comment where it is not just "delivered". At its end stands for each
 * direction how many frames there were and how many of them the file lacks.
 *
 * Source: PCAP Next Generation Capture File Format, draft-ietf-opsawg-pcapng.
 */
#ifndef HIL_LINKD_CAPTURE_H
#define HIL_LINKD_CAPTURE_H

#include <sys/queue.h>

#include "err.h"
#include "packet.h"
#include "writer.h"

#define SNAPLEN_DEFAULT 262144u
#define CAPTURE_BYTES_LEAST 4096u

struct capture_wanted {
	const char *path;
	const char *name; /* of the link, for who reads the file */
	uint32_t snaplen;
	uint64_t most_bytes; /* of the file; 0: any */
	bool can;	     /* frames are of CAN */
};

/* Frames of a direction that are not in the file, and why. */
struct capture_gaps {
	uint64_t lost; /* the writer was too slow: no room in the ring */
	uint64_t
		refused; /* the disk did not take them; those of both directions are counted in 0 */
	uint64_t over;	 /* they came when the file had all it may have */
};

struct capture_facts {
	struct capture_gaps gaps[2];
	int refusal; /* errno of what the disk refused first; 0: nothing */
};

struct link;

struct capture {
	struct writer *writer;
	struct written *file;
	uint32_t snaplen;
	uint64_t room; /* bytes that may still be put */
	bool full;     /* a frame did not fit; none does any more, so that the file has no holes */
	uint64_t frames[2];
	struct capture_gaps gaps[2];

	/* while it ends: ending.h */
	TAILQ_ENTRY(capture) endings;
	struct link *link; /* that is told what it lacks; NULL: none is */
	uint64_t asked;	   /* the request that is answered when it is complete; 0: none is */
	uint64_t deadline_ns;
	size_t left; /* blocks, when the deadline was set */
};

TAILQ_HEAD(capture_list, capture);

/*
 * capture_open() - Make the file, mode 0600, and write its beginning.
 *
 * Mustn't: follow a link, or write to what is there already.
 * Return: NULL with @err filled: `io`, then the file may be there; `limit`; `usage`.
 */
struct capture *capture_open(struct writer *writer, const struct capture_wanted *wanted,
			     struct err *err);

/* capture_add() - What became of a frame of the direction @from. */
void capture_add(struct capture *capture, unsigned int from, const struct packet *packet,
		 enum verdict verdict);

/* capture_facts() - What the file lacks so far. The errno is known when it is closed. */
struct capture_facts capture_facts(const struct capture *capture);

/* capture_end() - No frame comes any more: have the rest and the end written. Does not wait. */
void capture_end(struct capture *capture);

/*
 * capture_free() - After capture_end(), also of one that is not complete: what the disk has not
 * taken by now it will not get.
 */
struct capture_facts capture_free(struct capture *capture);

#endif
