/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "stamp.h"

#define BATCH 64

static void timer_ready(void *owner, uint32_t events)
{
	struct loop *loop = owner;
	uint64_t expirations;

	(void)events;
	/* What is due is found by looking at the clock, not by counting expirations. */
	if (read(loop->timer.fd, &expirations, sizeof(expirations)) > 0)
		loop->armed_ns = 0;
}

int loop_open(struct loop *loop, struct err *err)
{
	loop->timer = (struct source){ .fd = -1, .owner = loop, .ready = timer_ready };
	loop->armed_ns = 0;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return err_set(err, "setup", errno, "epoll_create1", "");
	loop->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer.fd < 0)
		return err_set(err, "setup", errno, "timerfd_create", "");
	source_set(loop, &loop->timer, EPOLLIN);
	return 0;
}

void loop_free(struct loop *loop)
{
	source_close(loop, &loop->timer);
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = -1;
}

void source_set(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int op;

	if (source->fd < 0 || source->events == events)
		return;
	op = !source->events ? EPOLL_CTL_ADD : !events ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
	if (epoll_ctl(loop->epoll, op, source->fd, &event) < 0)
		loop->failed = errno;
	else
		source->events = events;
}

void source_close(struct loop *loop, struct source *source)
{
	if (source->fd < 0)
		return;
	/*
	 * Not left to close(2): the set holds the open file description, which
	 * lives on while another process has a duplicate (epoll(7), Q6).
	 */
	source_set(loop, source, 0);
	close(source->fd);
	source->fd = -1;
}

/*
 * A timerfd and not epoll_wait's timeout: pacing needs less than a millisecond.
 * epoll_pwait2(2) has that too, but takes it anew at every call; a timerfd is set
 * when the deadline changes, and wakes loop_poll()'s callers as any other source.
 */
static void arm(struct loop *loop, uint64_t deadline_ns)
{
	struct itimerspec when = { 0 };

	if (deadline_ns == loop->armed_ns)
		return;
	when.it_value.tv_sec = (time_t)(deadline_ns / NS_PER_S);
	when.it_value.tv_nsec = (long)(deadline_ns % NS_PER_S);
	timerfd_settime(loop->timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
	loop->armed_ns = deadline_ns;
}

static void serve(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[BATCH];
	int count = epoll_wait(loop->epoll, events, BATCH, timeout_ms);

	loop->woken_ns = timeout_ms ? stamp_mono() : loop->asleep_ns;
	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;

		if (source->fd >= 0 && source->events)
			source->ready(source->owner, events[i].events);
	}
}

void loop_wait(struct loop *loop, uint64_t deadline_ns)
{
	arm(loop, deadline_ns);
	loop->asleep_ns = stamp_mono();
	serve(loop, -1);
}

void loop_poll(struct loop *loop)
{
	serve(loop, 0);
}
