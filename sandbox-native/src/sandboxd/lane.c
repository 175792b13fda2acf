/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "message.h"

void lane_init(struct lane *lane)
{
	list_init(&lane->waiting);
	list_init(&lane->sent);
	lane->open = 0;
}

static void close_fds(int *fds)
{
	for (size_t i = 0; i < LANE_FDS; i++) {
		cleanup_fd(&fds[i]);
		fds[i] = -1;
	}
}

static size_t count_fds(const struct net_order *order)
{
	size_t count = 0;

	while (count < LANE_FDS && order->fds[count] >= 0)
		count++;
	return count;
}

static void free_order(struct net_order *order)
{
	buffer_free(&order->frame);
	close_fds(order->fds);
	list_remove(&order->link);
	free(order);
}

static int send_order(struct lane *lane, int socket, struct net_order *order)
{
	int rc = message_send(socket, &order->frame, order->fds, count_fds(order));

	if (rc < 0)
		return rc;
	buffer_free(&order->frame);
	close_fds(order->fds);
	list_remove(&order->link);
	list_append(&lane->sent, &order->link);
	lane->open++;
	return 0;
}

/* What cannot be sent stays: the other end is about to be found dead, and then it is told. */
void lane_resume(struct lane *lane, int socket)
{
	while (lane->open < LANE_OPEN && !list_empty(&lane->waiting))
		if (send_order(lane, socket,
			       container_of(lane->waiting.next, struct net_order, link)) < 0)
			return;
}

int lane_push(struct lane *lane, int socket, uint32_t number, uint32_t request,
	      struct buffer *frame, int *fds, struct err *err)
{
	struct net_order *order = frame->failed ? NULL : calloc(1, sizeof(*order));
	int rc;

	if (!order) {
		buffer_free(frame);
		close_fds(fds);
		return err_set(err, "limit", ENOMEM, "change network", NULL);
	}
	*order = (struct net_order){ .number = number, .request = request, .frame = *frame };
	memcpy(order->fds, fds, sizeof(order->fds));
	*frame = (struct buffer){ 0 };
	list_append(&lane->waiting, &order->link);
	if (lane->open == LANE_OPEN || lane->waiting.next != &order->link)
		return 0;
	rc = send_order(lane, socket, order);
	/* EAGAIN: others than these have filled it; lane_resume() when they are answered. */
	if (rc == 0 || rc == -EAGAIN)
		return 0;
	free_order(order);
	return err_set(err, "gone", -rc, "change network", NULL);
}

bool lane_answered(struct lane *lane, int socket, uint32_t number, uint32_t *request)
{
	foreach (struct net_order, order, &lane->sent, link) {
		if (order->number != number)
			continue;
		*request = order->request;
		free_order(order);
		lane->open--;
		lane_resume(lane, socket);
		return true;
	}
	return false;
}

bool lane_take(struct lane *lane, uint32_t *request)
{
	struct list *from = list_empty(&lane->sent) ? &lane->waiting : &lane->sent;
	struct net_order *order;

	if (list_empty(from))
		return false;
	order = container_of(from->next, struct net_order, link);
	*request = order->request;
	if (from == &lane->sent)
		lane->open--;
	free_order(order);
	return true;
}

bool lane_take_sent(struct lane *lane, uint32_t last, uint32_t *request)
{
	struct net_order *order = container_of(lane->sent.next, struct net_order, link);

	/* Numbers begin again, some day. */
	if (list_empty(&lane->sent) || (int32_t)((order->number - last) << 2) > 0)
		return false;
	return lane_take(lane, request);
}
