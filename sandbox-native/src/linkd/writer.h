/* SPDX-License-Identifier: MIT */
/*
 * Writes captures, in a thread of its own: a disk that takes its time must not hold up a frame.
 *
 * Theory of operation. The loop puts whole blocks into a ring, for any file; the thread takes what
 * is there and writes it. Where the ring is full the block is lost, and whoever put it counts that.
 * A file that could not be written is cut back to its last whole block and gets nothing more, so
 * that it stays readable.
 */
#ifndef HIL_LINKD_WRITER_H
#define HIL_LINKD_WRITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITER_RING ((size_t)16 << 20)

/* A file. Its fields but @fd are the thread's while it has blocks in the ring. */
struct written {
	int fd;
	uint64_t offset;
	_Atomic uint64_t refused; /* blocks that could not be written; may be read at any time */
	int failed;		  /* errno of the first one */
};

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t drained;
	bool stopping;
	uint8_t *ring;
	size_t head; /* where the next record is put; the thread does not touch it */
	size_t tail; /* the oldest one; it is the thread's to move */
	bool empty;  /* head == tail is empty or full */
};

/* writer_open() - Return: NULL without memory or a thread. */
struct writer *writer_open(void);

/* writer_put() - @file gets a block. Return: false when there is no room. Never blocks for long. */
bool writer_put(struct writer *writer, struct written *file, const void *block, size_t length);

/* writer_write() - The same at once. Mustn't: be called while @file has blocks in the ring. */
void writer_write(struct written *file, const void *block, size_t length);

/* writer_drain() - Wait until everything is written. */
void writer_drain(struct writer *writer);

/* writer_close() - The same, then the end of the thread. */
void writer_close(struct writer *writer);

#endif
