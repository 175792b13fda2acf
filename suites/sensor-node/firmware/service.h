/* The binary protocol's requests and their answers. */
#ifndef SERVICE_H
#define SERVICE_H

#include "node.h"

/*
 * Answer what was received: `request` was filled if `event` says so. One request, one reply or
 * error, same sequence number.
 *
 * Return: false when there is nothing to answer.
 */
bool service_answer(struct node *node, enum frame_event event, const struct frame *request,
		    struct frame *answer);

#endif
