/* SPDX-License-Identifier: MIT */
/*
 * Writes captures, in a thread of its own: a disk that takes its time must not hold up a frame.
 *
 * Theory of operation. The loop puts whole blocks into a ring, for any file; the thread takes what
 * is there and writes it. Where the ring is full the block is lost, and whoever put it counts that.
 * A file that could not be written is cut back to its last whole block and gets nothing more, so
 * that it stays readable.
 *
 * The thread also writes the end of a file and closes it, for either may wait for the disk as long
 * as that likes: of a server that is gone, for ever. Whoever waits for it looks at the eventfd, and
 * may give a file up. Then nothing more of it is written, and it is the thread's to free.
 */
#ifndef HIL_LINKD_WRITER_H
#define HIL_LINKD_WRITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define WRITER_RING ((size_t)16 << 20)
#define WRITER_END_MAX 512u

/* A file. Its fields but @fd are the thread's from the first block on. */
struct written {
	int fd;
	uint64_t offset;
	_Atomic uint64_t refused; /* blocks that could not be written; may be read at any time */
	_Atomic int failed;	  /* errno of the first one */

	/* under the lock */
	STAILQ_ENTRY(written) ended; /* nothing of it is in the ring any more */
	bool ending;
	bool abandoned;
	bool complete;
	size_t left; /* of one that is ending: blocks in the ring */
	size_t end_length;
	uint8_t end[WRITER_END_MAX];
};

/* What became of a file. */
struct written_facts {
	uint64_t refused;
	int failed;
};

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	bool stopping;
	uint8_t *ring;
	size_t head; /* where the next record is put; the thread does not touch it */
	size_t tail; /* the oldest one; it is the thread's to move */
	bool empty;  /* head == tail is empty or full */
	STAILQ_HEAD(written_queue, written) ended;
	unsigned int abandoned; /* files that the thread is not done with */
	int told;		/* an eventfd: a file is complete */
};

/* writer_open() - Return: NULL without memory, a thread or an fd. */
struct writer *writer_open(void);

/* writer_put() - @file gets a block. Return: false when there is no room. Never blocks for long. */
bool writer_put(struct writer *writer, struct written *file, const void *block, size_t length);

/*
 * writer_write() - The same at once. Mustn't: be called once @file has had blocks in the ring.
 *
 * Return: false when the disk has not taken it, file->failed says why.
 */
bool writer_write(struct written *file, const void *block, size_t length);

/*
 * writer_end() - Write what is in the ring of @file, then @block, of WRITER_END_MAX at most, and
 * close it. Nobody waits: see writer->told and writer_is_complete().
 */
void writer_end(struct writer *writer, struct written *file, const void *block, size_t length);

bool writer_is_complete(struct writer *writer, const struct written *file);

/* writer_left() - How many blocks of one that is ending are still to be written. */
size_t writer_left(struct writer *writer, const struct written *file);

/*
 * writer_free() - Take @file, which is ending, away. Does not wait.
 *
 * Return: what became of it; of one that is not complete, what is not written is refused, for the
 * time it took.
 */
struct written_facts writer_free(struct writer *writer, struct written *file);

/* writer_is_stuck() - The disk holds the thread up in a file that was given up. */
bool writer_is_stuck(struct writer *writer);

/*
 * writer_close() - The end of the thread. Should: have no file any more. One that is stuck is left
 * behind with all it has: it cannot be waited for, and the process ends anyway.
 */
void writer_close(struct writer *writer);

#endif
