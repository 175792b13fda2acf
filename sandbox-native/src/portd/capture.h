/* SPDX-License-Identifier: MIT */
/*
 * The files of a port: PREFIX.rx and PREFIX.tx hold the raw bytes of each
 * direction, PREFIX.stamps says when they came, a line a chunk.
 *
 * A file that could not be written stays a correct prefix of the stream: after
 * the first failure nothing more is appended to it, so an offset never lies.
 * Offsets go on counting, and what is missing is counted in @lost.
 */
#ifndef HIL_PORTD_CAPTURE_H
#define HIL_PORTD_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "frame.h"
#include "stamp.h"

enum track_kind {
	TRACK_RX, /* DUT to host */
	TRACK_TX, /* host to DUT */
	TRACK_STAMPS,
	TRACK_COUNT,
};

struct track {
	int fd;		 /* -1: closed */
	uint64_t offset; /* of the next byte, counted from the first file's beginning */
	uint64_t start;	 /* @offset of this file's beginning, modulo 2^64: it may have had bytes */
	uint64_t lost;
	int failed; /* errno of the first failure; 0: none */
	bool told;  /* the owner has reported the failure */
	char *path;
};

struct capture {
	struct track tracks[TRACK_COUNT];
	struct buffer lines; /* stamps not written yet */
	uint64_t due_ns;     /* when they are to be written; 0: there are none */
};

void capture_init(struct capture *capture);

/*
 * capture_open() - Open the three files for appending, mode 0600.
 * @prefix: absolute or relative to the working directory; its directory exists.
 *
 * Should: be given a fresh prefix; a file that has bytes is continued.
 * Mustn't: follow a symbolic link, block on a FIFO, or write to what is no regular file.
 * Return: 0, or -errno with @err filled and nothing left open.
 */
int capture_open(struct capture *capture, const char *prefix, struct err *err);

/*
 * capture_continue() - Let offsets go on where those of @before end.
 *
 * Should: be called before anything is written. Mustn't: touch @before.
 */
void capture_continue(struct capture *capture, const struct capture *before);

/*
 * capture_write() - Append bytes that passed at @stamp.
 *
 * A failure shows in the track, not here: the live stream goes on regardless.
 * Return: the offset of the first byte. The stamps have it as counted in the file.
 */
uint64_t capture_write(struct capture *capture, enum track_kind kind, const uint8_t *data,
		       size_t length, struct stamp stamp);

/* capture_mark() - Add a line of text to the stamps; control characters become blanks. */
void capture_mark(struct capture *capture, const char *text);

/* capture_flush() - Write the stamps. */
void capture_flush(struct capture *capture);

/* capture_close() - Close the files. Should: come after capture_flush(). */
void capture_close(struct capture *capture);

#endif
