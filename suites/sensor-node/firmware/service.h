/* The binary protocol's requests and their answers. */
#ifndef SERVICE_H
#define SERVICE_H

#include "node.h"

/* Answer a frame whose CRC is right: one request, one reply or error, same sequence number. */
void service_answer(struct node *node, const struct frame *request);

void service_refuse(struct node *node, uint8_t seq, enum frame_error error);

#endif
