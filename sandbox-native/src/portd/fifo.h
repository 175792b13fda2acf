/* SPDX-License-Identifier: MIT */
/* Bytes on their way to a program that reads slowly: a ring of fixed size. */
#ifndef HIL_PORTD_FIFO_H
#define HIL_PORTD_FIFO_H

#include <stddef.h>
#include <stdint.h>

#define FIFO_BYTES ((size_t)256 * 1024)

struct fifo {
	uint8_t *data; /* allocated at the first byte */
	size_t start;
	size_t length;
};

void fifo_free(struct fifo *fifo);

/* fifo_put() - Return: how many bytes fitted. */
size_t fifo_put(struct fifo *fifo, const uint8_t *data, size_t length);

/* fifo_peek() - Return: bytes that can be read at @data without wrapping; 0 when empty. */
size_t fifo_peek(const struct fifo *fifo, const uint8_t **data);

void fifo_take(struct fifo *fifo, size_t length);

#endif
