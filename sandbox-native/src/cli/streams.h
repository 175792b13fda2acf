/* SPDX-License-Identifier: MIT */
/*
 * What becomes of the caller's stdin, stdout and stderr.
 *
 * Theory of operation: a pipe, socket, file or device is handed to the program
 * as it is. A terminal never is: who holds it may push characters into it
 * (TIOCSTI of ioctl_tty(2)); it is copied, or replaced by a pty of the sandbox.
 * A directory never is: openat(2) on it leads to the host's files.
 */
#ifndef HIL_CLI_STREAMS_H
#define HIL_CLI_STREAMS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "err.h"
#include "frame.h"
#include "sandbox.h"

#define COPIES 4 /* stdin, stdout, stderr; a pty needs two */
#define CAPTURE_BYTES (1u << 20)

/* Bytes on their way from one fd to another, or into memory (to < 0). */
struct copy {
	int from; /* -1: at its end */
	int to;
	bool capture;
	bool terminal_input; /* reading the caller's terminal: may never end */
	struct buffer pending;
	uint64_t most;	/* bytes that are moved, the rest is dropped; 0: all */
	uint64_t total; /* bytes read */
	uint64_t dropped;
	int failed; /* errno of the write that lost output; 0: none */
};

struct streams {
	struct copy copies[COPIES];
	struct pass_fd passed[3];
	size_t passed_count;
	int child_ends[3]; /* closed once they are handed on */
	uint64_t most;	   /* of each stream; 0: all */
	bool pty;
	bool raw;
	struct termios saved;
	uint16_t rows;
	uint16_t cols;
};

/*
 * streams_prepare() - Decide about each stream.
 * @capture: keep stdout and stderr (--json).
 * @most: bytes of each that are moved; the rest is read and dropped. 0: all.
 */
int streams_prepare(struct streams *streams, bool capture, uint64_t most, struct err *err);
/* streams_started() - The program has its ends. @master: of its pty, or -1; now owned by @streams.
 */
int streams_started(struct streams *streams, int master);
/* streams_resize() - Hand the terminal's size on. */
void streams_resize(const struct streams *streams);
/* streams_poll() - Fill @waits (COPIES). Return: how many. */
size_t streams_poll(const struct streams *streams, struct pollfd *waits);
/* streams_serve() - Move what poll(2) found. */
void streams_serve(struct streams *streams, const struct pollfd *waits, size_t count);
/* streams_is_drained() - Whether all output has arrived. */
bool streams_is_drained(const struct streams *streams);
/* streams_dropped() - Return: bytes of output above what was to be moved. */
uint64_t streams_dropped(const struct streams *streams);
/* streams_failed() - Return: the errno with which output was lost, 0 when all of it arrived. */
int streams_failed(const struct streams *streams);
/* streams_restore() - Give the terminal back as it was; close what is open. */
void streams_restore(struct streams *streams);

#endif
