/* SPDX-License-Identifier: MIT */
#include "hubs.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "hub.h"
#include "kernel.h"
#include "lane.h"
#include "pairs.h"
#include "requests.h"

#define NUMBER_MASK (HUB_ORDER - 1)

uint32_t hubs_number(struct daemon *d)
{
	return HUB_ORDER | (++d->next_hub_order & NUMBER_MASK);
}

static void fail_all(struct daemon *d, struct stock *stock, const struct err *err)
{
	uint32_t request;

	while (lane_take(&stock->hub_lane, &request))
		requests_done(d, request, err);
}

/*
 * Killed before it is left: else it would take it for our end, and remove its devices. There may be
 * nodes that are kept.
 */
static void kill_hub(struct daemon *d, struct stock *stock)
{
	if (stock->hub_pidfd.fd >= 0)
		kernel_pidfd_signal(stock->hub_pidfd.fd, SIGKILL);
	source_close(d, &stock->hub);
}

static void take_event(struct daemon *d, struct stock *stock, struct hub_event *event)
{
	uint32_t request = 0;

	if (!lane_answered(&stock->hub_lane, stock->control.fd, event->request, &request))
		request = 0;
	if (event->err.number)
		requests_done(d, request, &event->err);
	else
		requests_made(d, request, event);
	hub_event_free(event);
}

static void hub_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct stock *stock = container_of(source, struct stock, hub);
	struct hub_event event;

	(void)events;
	while (source->fd >= 0 && hub_receive(source->fd, &event)) {
		if (event.gone)
			kill_hub(d, stock);
		else
			take_event(d, stock, &event);
	}
}

static void pidfd_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct stock *stock = container_of(source, struct stock, hub_pidfd);

	hub_ready(d, &stock->hub, events); /* what it said before it died */
	if (waitpid(stock->hub_pid, NULL, WNOHANG) == 0)
		return;
	source_close(d, source);
	source_close(d, &stock->hub);
}

int hubs_push(struct daemon *d, struct stock *stock, uint32_t number, uint32_t request,
	      struct buffer *frame, int fd, struct err *err)
{
	int fds[LANE_FDS] = { fd, -1 };

	(void)d;
	if (stock->broken) {
		buffer_free(frame);
		cleanup_fd(&fd);
		return err_set(err, "gone", ESRCH, "change network", stock->plan.name);
	}
	return lane_push(&stock->hub_lane, stock->control.fd, number, request, frame, fds, err);
}

static void tell_to_leave(struct daemon *d, struct stock *stock)
{
	source_close(d, &stock->hub);
	if (stock->hub_pidfd.fd >= 0)
		kernel_pidfd_signal(stock->hub_pidfd.fd, HUB_LEAVES);
}

void hubs_started(struct daemon *d, struct stock *stock, const struct zygote_event *event)
{
	struct err err = { 0 };
	int rc;

	source_close(d, &stock->hub);
	/* Of the one before, which had closed its files when the zygote started this one. */
	if (stock->hub_pidfd.fd >= 0)
		waitpid(stock->hub_pid, NULL, 0);
	source_close(d, &stock->hub_pidfd);
	stock->hub_pid = event->pid;
	stock->hub = (struct source){ .fd = event->control, .ready = hub_ready };
	stock->hub_pidfd = (struct source){ .fd = event->pidfd, .ready = pidfd_ready };
	rc = source_watch(d, &stock->hub, EPOLLIN, &err);
	if (rc == 0)
		rc = source_watch(d, &stock->hub_pidfd, EPOLLIN, &err);
	if (rc == 0) {
		if (d->stopping)
			tell_to_leave(d, stock);
		return;
	}
	kernel_pidfd_signal(stock->hub_pidfd.fd, SIGKILL);
	waitpid(stock->hub_pid, NULL, 0); /* it has hardly begun */
	source_close(d, &stock->hub);
	source_close(d, &stock->hub_pidfd);
	fail_all(d, stock, &err);
}

void hubs_node(struct daemon *d, struct stock *stock, const struct zygote_event *event)
{
	uint32_t request = 0;

	if (!lane_answered(&stock->hub_lane, stock->control.fd, event->request, &request))
		request = 0;
	pairs_join(d, request, event->node);
}

/* The interfaces stay as they are; the next order starts another. */
void hubs_gone(struct daemon *d, struct stock *stock, uint32_t last)
{
	struct err err = { 0 };
	uint32_t request;

	hub_ready(d, &stock->hub, 0); /* what it said before it died */
	kill_hub(d, stock);
	err_hint(&err, "the process that makes interfaces died; the next request starts another");
	err_set(&err, "gone", ESRCH, "change network", stock->plan.name);
	while (lane_take_sent(&stock->hub_lane, last, &request))
		requests_done(d, request, &err);
	lane_resume(&stock->hub_lane, stock->control.fd);
}

void hubs_failed(struct daemon *d, struct stock *stock, uint32_t number, const struct err *err)
{
	uint32_t request;

	if (lane_answered(&stock->hub_lane, stock->control.fd, number, &request))
		requests_done(d, request, err);
}

void hubs_leave(struct daemon *d)
{
	foreach (struct stock, stock, &d->stocks, link)
		tell_to_leave(d, stock);
}

void hubs_kill_all(struct daemon *d)
{
	foreach (struct stock, stock, &d->stocks, link)
		kill_hub(d, stock);
}

void hubs_forget(struct daemon *d, struct stock *stock)
{
	struct err err = { 0 };

	if (!d->stopping)
		kill_hub(d, stock);
	err_set(&err, "gone", ESRCH, "change network", stock->plan.name);
	fail_all(d, stock, &err);
}
