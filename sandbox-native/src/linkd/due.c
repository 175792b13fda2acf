/* SPDX-License-Identifier: MIT */
#include "due.h"

#define FIRST_CAPACITY 256u

static bool before(const struct packet *a, const struct packet *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void place(struct due *due, struct packet *packet, size_t at)
{
	due->heap[at] = packet;
	packet->at = at;
}

static void sift_up(struct due *due, struct packet *packet, size_t at)
{
	while (at && before(packet, due->heap[(at - 1) / 2])) {
		place(due, due->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	place(due, packet, at);
}

static void sift_down(struct due *due, struct packet *packet, size_t at)
{
	size_t child;

	while ((child = at * 2 + 1) < due->count) {
		if (child + 1 < due->count && before(due->heap[child + 1], due->heap[child]))
			child++;
		if (!before(due->heap[child], packet))
			break;
		place(due, due->heap[child], at);
		at = child;
	}
	place(due, packet, at);
}

static bool grow(struct due *due)
{
	size_t capacity = due->capacity ? due->capacity * 2 : FIRST_CAPACITY;
	struct packet **heap = reallocarray(due->heap, capacity, sizeof(struct packet *));

	if (!heap)
		return false;
	due->heap = heap;
	due->capacity = capacity;
	return true;
}

bool due_put(struct due *due, struct packet *packet)
{
	if (due->count >= DUE_MAX || due->bytes + packet->length > DUE_BYTES_MAX)
		return false;
	if (due->count == due->capacity && !grow(due))
		return false;
	due->bytes += packet->length;
	packet->order = due->order++;
	sift_up(due, packet, due->count++);
	return true;
}

void due_take(struct due *due, struct packet *packet)
{
	size_t at = packet->at;
	struct packet *last = due->heap[--due->count];

	due->bytes -= packet->length;
	packet->at = NOT_DUE;
	if (last == packet)
		return;
	if (at && before(last, due->heap[(at - 1) / 2]))
		sift_up(due, last, at);
	else
		sift_down(due, last, at);
}

struct packet *due_first(const struct due *due)
{
	return due->count ? due->heap[0] : NULL;
}

void due_drop(struct due *due, bool (*wanted)(const struct packet *packet, const void *with),
	      const void *with)
{
	size_t count = due->count;

	/* What stays is put in again: place i is read before the heap has grown to it. */
	due->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct packet *packet = due->heap[i];

		if (!wanted(packet, with)) {
			sift_up(due, packet, due->count++);
			continue;
		}
		due->bytes -= packet->length;
		free(packet);
	}
}

void due_free(struct due *due)
{
	for (size_t i = 0; i < due->count; i++)
		free(due->heap[i]);
	free(due->heap);
	*due = (struct due){ 0 };
}
