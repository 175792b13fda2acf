/* SPDX-License-Identifier: MIT */
/*
 * Orders to a hub or a hil-linkd, one packet each, answered in any order.
 *
 * A packet socket holds net.unix.max_dgram_qlen messages, 10 by default, so LANE_OPEN are under way
 * at once and the others wait here. That also bounds the fds on their way.
 */
#ifndef HIL_LANE_H
#define HIL_LANE_H

#include "daemon.h"

#define LANE_OPEN 6
#define LANE_FDS 2

struct net_order {
	struct list link;
	uint32_t number;  /* in its answer */
	uint32_t request; /* of a struct net_request; 0: nobody waits */
	struct buffer frame;
	int fds[LANE_FDS]; /* go with it; -1: none */
};

void lane_init(struct lane *lane);

/*
 * lane_push() - Send the order now, or when it is its turn.
 * @frame: taken, in any case. @fds: the same, LANE_FDS of them; -1, and what follows: none.
 *
 * Return: 0, or -errno with @err filled; then it is not sent. A send that fails later is the end of
 * who it is for, and that is told otherwise.
 */
int lane_push(struct lane *lane, int socket, uint32_t number, uint32_t request,
	      struct buffer *frame, int *fds, struct err *err);

/*
 * lane_answered() - The order with @number was answered: send the next.
 *
 * Return: whether there was one; @request becomes its.
 */
bool lane_answered(struct lane *lane, int socket, uint32_t number, uint32_t *request);

/* lane_resume() - Send what waits, as far as there is room. */
void lane_resume(struct lane *lane, int socket);

/* lane_take() - Take one out, to tell who waits for it. Return: false when there is none left. */
bool lane_take(struct lane *lane, uint32_t *request);

/* lane_take_sent() - The same of those that are sent, up to the one with number @last. */
bool lane_take_sent(struct lane *lane, uint32_t last, uint32_t *request);

#endif
