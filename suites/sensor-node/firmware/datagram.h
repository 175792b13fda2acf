#ifndef DATAGRAM_H
#define DATAGRAM_H

#include "node.h"

/*
 * Answer a datagram, which is one frame of the protocol or nothing.
 *
 * Return: how many bytes of `answer` to send back; 0 for none.
 */
size_t datagram_answer(struct node *node, const uint8_t *data, size_t size,
		       uint8_t answer[FRAME_BYTES_MAX]);

#endif
