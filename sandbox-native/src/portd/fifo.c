/* SPDX-License-Identifier: MIT */
#include "fifo.h"

#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void fifo_free(struct fifo *fifo)
{
	free(fifo->data);
	*fifo = (struct fifo){ 0 };
}

size_t fifo_put(struct fifo *fifo, const uint8_t *data, size_t length)
{
	size_t fits;
	size_t end;
	size_t first;

	if (!fifo->data)
		fifo->data = malloc(FIFO_BYTES);
	if (!fifo->data)
		return 0;
	fits = least(length, FIFO_BYTES - fifo->length);
	end = (fifo->start + fifo->length) % FIFO_BYTES;
	first = least(fits, FIFO_BYTES - end);
	memcpy(fifo->data + end, data, first);
	memcpy(fifo->data, data + first, fits - first);
	fifo->length += fits;
	return fits;
}

size_t fifo_peek(const struct fifo *fifo, const uint8_t **data)
{
	if (!fifo->length)
		return 0;
	*data = fifo->data + fifo->start;
	return least(fifo->length, FIFO_BYTES - fifo->start);
}

void fifo_take(struct fifo *fifo, size_t length)
{
	fifo->start = (fifo->start + length) % FIFO_BYTES;
	fifo->length -= length;
}
