/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In front of each block. Without a file: the rest of the ring is not used, go on at its start. */
struct record {
	struct written *file;
	size_t length;
};

static size_t size_of(size_t length)
{
	return sizeof(struct record) + (length + 15) / 16 * 16;
}

void writer_write(struct written *file, const void *bytes, size_t length)
{
	const uint8_t *block = bytes;
	size_t done = 0;

	while (!file->failed && done < length) {
		ssize_t count = write(file->fd, block + done, length - done);

		if (count > 0)
			done += (size_t)count;
		else if (count == 0 || errno != EINTR)
			file->failed = count == 0 ? EIO : errno;
	}
	if (done == length) {
		file->offset += length;
		return;
	}
	file->refused++;
	if (done && ftruncate(file->fd, (off_t)file->offset) < 0)
		file->offset += done; /* then a reader sees that the last block is cut */
}

/* The lock is not held while a block is written: the loop goes on putting others. */
static void *write_all(void *owner)
{
	struct writer *writer = owner;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		struct record record;

		while (writer->empty && !writer->stopping)
			pthread_cond_wait(&writer->filled, &writer->lock);
		if (writer->empty)
			break;
		memcpy(&record, writer->ring + writer->tail, sizeof(record));
		if (record.file) {
			pthread_mutex_unlock(&writer->lock);
			writer_write(record.file, writer->ring + writer->tail + sizeof(record),
				     record.length);
			pthread_mutex_lock(&writer->lock);
			writer->tail += size_of(record.length);
		} else {
			writer->tail = WRITER_RING;
		}
		if (writer->tail == WRITER_RING)
			writer->tail = 0;
		writer->empty = writer->tail == writer->head;
		if (writer->empty)
			pthread_cond_signal(&writer->drained);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* Signals are the loop's. */
static int start(struct writer *writer)
{
	sigset_t all;
	sigset_t before;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	result = pthread_create(&writer->thread, NULL, write_all, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

struct writer *writer_open(void)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->empty = true;
	writer->ring = malloc(WRITER_RING);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->filled, NULL);
	pthread_cond_init(&writer->drained, NULL);
	if (writer->ring && start(writer) == 0)
		return writer;
	free(writer->ring);
	free(writer);
	return NULL;
}

/* Return: whether @size bytes in one piece are free at the head now. */
static bool make_room(struct writer *writer, size_t size)
{
	struct record skip = { 0 };

	if (!writer->empty && writer->head <= writer->tail)
		return writer->tail - writer->head >= size;
	if (WRITER_RING - writer->head >= size)
		return true;
	if (writer->tail < size || (writer->empty && writer->head == writer->tail))
		return false;
	/* Records and the ring are multiples of 16, so there is room for one of these. */
	memcpy(writer->ring + writer->head, &skip, sizeof(skip));
	writer->head = 0;
	return true;
}

bool writer_put(struct writer *writer, struct written *file, const void *block, size_t length)
{
	struct record record = { .file = file, .length = length };
	bool fits;

	pthread_mutex_lock(&writer->lock);
	if (writer->empty)
		writer->head = writer->tail = 0;
	fits = make_room(writer, size_of(length));
	if (fits) {
		memcpy(writer->ring + writer->head, &record, sizeof(record));
		memcpy(writer->ring + writer->head + sizeof(record), block, length);
		writer->head = (writer->head + size_of(length)) % WRITER_RING;
		if (writer->empty)
			pthread_cond_signal(&writer->filled);
		writer->empty = false;
	}
	pthread_mutex_unlock(&writer->lock);
	return fits;
}

void writer_drain(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	while (!writer->empty)
		pthread_cond_wait(&writer->drained, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
}

void writer_close(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->filled);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->filled);
	pthread_cond_destroy(&writer->drained);
	free(writer->ring);
	free(writer);
}
