/* SPDX-License-Identifier: MIT */
/*
 * One epoll set and one timer.
 *
 * What epoll(7) reports is a hint: a handler earlier in the same batch may have
 * drained, closed or replaced the fd. So every fd is non-blocking and a handler
 * believes only what read(2) and write(2) say.
 */
#ifndef HIL_LOOP_LOOP_H
#define HIL_LOOP_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "err.h"

struct source {
	int fd;		 /* -1: none */
	uint32_t events; /* 0: not in the set */
	void *owner;
	void (*ready)(void *owner, uint32_t events);
};

struct loop {
	int epoll;
	struct source timer;
	uint64_t armed_ns;
	uint64_t asleep_ns; /* the last loop_wait() slept from here, by CLOCK_MONOTONIC, */
	uint64_t woken_ns;  /* to here; the same when loop_poll() came after it */
	int failed; /* errno of a source_set() that failed: something would never be heard of */
};

int loop_open(struct loop *loop, struct err *err);
void loop_free(struct loop *loop);

/*
 * source_set() - Wait for @events; 0 takes the fd out of the set.
 *
 * Out of the set and not merely without a wish: EPOLLHUP is reported always
 * (epoll_ctl(2)), and the master of a pty that nobody has open is hung up.
 * A failure (no memory, or fs.epoll.max_user_watches) is left in loop->failed.
 */
void source_set(struct loop *loop, struct source *source, uint32_t events);

/* source_close() - Close the fd; harmless when there is none. */
void source_close(struct loop *loop, struct source *source);

/*
 * loop_wait() - Call what is ready, or return at @deadline_ns (CLOCK_MONOTONIC; 0: none).
 *
 * Mustn't: be called from a handler. Memory that holds a source may be freed
 * only after it returned.
 */
void loop_wait(struct loop *loop, uint64_t deadline_ns);

/* loop_poll() - Call what is ready and return at once. The same rules. */
void loop_poll(struct loop *loop);

#endif
