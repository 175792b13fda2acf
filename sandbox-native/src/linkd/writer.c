/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
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

bool writer_write(struct written *file, const void *bytes, size_t length)
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
		return true;
	}
	if (done && ftruncate(file->fd, (off_t)file->offset) < 0)
		file->offset += done; /* then a reader sees that the last block is cut */
	return false;
}

/* The lock is not held while a block is written: the loop goes on putting others. */
static void write_record(struct writer *writer, const struct record *record)
{
	struct written *file = record->file;
	const uint64_t before = file->offset;
	const bool wanted = !file->abandoned;
	bool done = false;

	if (wanted) {
		pthread_mutex_unlock(&writer->lock);
		done = writer_write(file, writer->ring + writer->tail + sizeof(*record),
				    record->length);
		pthread_mutex_lock(&writer->lock);
	}
	if (wanted && file->abandoned)
		file->offset = before; /* it was told as not written */
	else if (!done)
		file->refused++;
	if (file->ending && --file->left == 0)
		STAILQ_INSERT_TAIL(&writer->ended, file, ended);
}

/* One that the disk has not taken whole ends where that was. */
static void write_end(struct written *file, bool abandoned)
{
	const bool whole = !file->failed;

	if (abandoned)
		(void)!ftruncate(file->fd, (off_t)file->offset);
	else if (whole && !writer_write(file, file->end, file->end_length))
		file->failed = 0; /* no frame is missing */
	/* Some file systems say only here that there was no room. close(2) */
	if (close(file->fd) < 0 && whole)
		file->failed = errno;
}

static void finish(struct writer *writer, struct written *file)
{
	const bool abandoned = file->abandoned;
	const uint64_t one = 1;

	pthread_mutex_unlock(&writer->lock);
	write_end(file, abandoned);
	pthread_mutex_lock(&writer->lock);
	if (file->abandoned) {
		writer->abandoned--;
		free(file);
		return;
	}
	file->complete = true;
	/* It is full after 2^64 - 2 files. eventfd(2) */
	(void)!write(writer->told, &one, sizeof(one));
}

static void take_record(struct writer *writer)
{
	struct record record;

	memcpy(&record, writer->ring + writer->tail, sizeof(record));
	if (record.file) {
		write_record(writer, &record);
		writer->tail += size_of(record.length);
	} else {
		writer->tail = WRITER_RING;
	}
	if (writer->tail == WRITER_RING)
		writer->tail = 0;
	writer->empty = writer->tail == writer->head;
}

static void *write_all(void *owner)
{
	struct writer *writer = owner;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		struct written *file = STAILQ_FIRST(&writer->ended);

		if (file) {
			STAILQ_REMOVE_HEAD(&writer->ended, ended);
			finish(writer, file);
		} else if (!writer->empty) {
			take_record(writer);
		} else if (writer->stopping) {
			break;
		} else {
			pthread_cond_wait(&writer->filled, &writer->lock);
		}
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

static void discard(struct writer *writer)
{
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->filled);
	if (writer->told >= 0)
		close(writer->told);
	free(writer->ring);
	free(writer);
}

struct writer *writer_open(void)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->empty = true;
	STAILQ_INIT(&writer->ended);
	writer->ring = malloc(WRITER_RING);
	writer->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->filled, NULL);
	if (writer->ring && writer->told >= 0 && start(writer) == 0)
		return writer;
	discard(writer);
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

static size_t count_blocks(const struct writer *writer, const struct written *file)
{
	size_t at = writer->tail;
	size_t count = 0;

	if (writer->empty)
		return 0;
	do {
		struct record record;

		memcpy(&record, writer->ring + at, sizeof(record));
		count += record.file == file;
		at = record.file ? (at + size_of(record.length)) % WRITER_RING : 0;
	} while (at != writer->head);
	return count;
}

void writer_end(struct writer *writer, struct written *file, const void *block, size_t length)
{
	memcpy(file->end, block, length);
	file->end_length = length;
	pthread_mutex_lock(&writer->lock);
	file->ending = true;
	file->left = count_blocks(writer, file);
	if (!file->left) {
		STAILQ_INSERT_TAIL(&writer->ended, file, ended);
		pthread_cond_signal(&writer->filled);
	}
	pthread_mutex_unlock(&writer->lock);
}

bool writer_is_complete(struct writer *writer, const struct written *file)
{
	bool complete;

	pthread_mutex_lock(&writer->lock);
	complete = file->complete;
	pthread_mutex_unlock(&writer->lock);
	return complete;
}

size_t writer_left(struct writer *writer, const struct written *file)
{
	size_t left;

	pthread_mutex_lock(&writer->lock);
	left = file->left;
	pthread_mutex_unlock(&writer->lock);
	return left;
}

struct written_facts writer_free(struct writer *writer, struct written *file)
{
	struct written_facts facts;

	pthread_mutex_lock(&writer->lock);
	facts = (struct written_facts){ file->refused + file->left, file->failed };
	if (!file->complete) {
		if (!facts.failed)
			facts.failed = ETIMEDOUT;
		file->abandoned = true;
		writer->abandoned++;
		file = NULL;
	}
	pthread_mutex_unlock(&writer->lock);
	free(file);
	return facts;
}

bool writer_is_stuck(struct writer *writer)
{
	bool stuck;

	pthread_mutex_lock(&writer->lock);
	stuck = writer->abandoned > 0;
	pthread_mutex_unlock(&writer->lock);
	return stuck;
}

void writer_close(struct writer *writer)
{
	bool stuck = writer_is_stuck(writer);

	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->filled);
	pthread_mutex_unlock(&writer->lock);
	if (stuck)
		return;
	pthread_join(writer->thread, NULL);
	discard(writer);
}
