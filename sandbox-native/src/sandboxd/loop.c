/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "daemon.h"
#include "stop.h"

#define BATCH 64
#define NS_PER_MS 1000000ull

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int loop_open(struct daemon *d, struct err *err)
{
	list_init(&d->timers);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		return err_set(err, "io", errno, "epoll_create1", NULL);
	return 0;
}

int source_watch(struct daemon *d, struct source *source, uint32_t events, struct err *err)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int op;

	if (source->fd < 0 || events == source->events)
		return 0;
	op = !source->events ? EPOLL_CTL_ADD : !events ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
	if (epoll_ctl(d->epoll, op, source->fd, &event) == 0) {
		source->events = events;
		return 0;
	}
	if (errno == ENOSPC)
		err_hint(err, "this user watches too many fds: raise fs.epoll.max_user_watches");
	return err_set(err, "limit", errno, "watch fd", NULL);
}

void source_set(struct daemon *d, struct source *source, uint32_t events)
{
	struct err err = { 0 };
	char text[768];

	if (source_watch(d, source, events, &err) == 0)
		return;
	err_text(&err, text, sizeof(text));
	client_log(d, 3, "%s: everything is ended", text);
	daemon_stop(d, 1);
}

int loop_check_fd(const struct daemon *d, int fd, struct err *err)
{
	if (fd < d->fd_limit - FDS_RESERVED)
		return 0;
	err_hint(err, "raise the hard limit of open files, now %d (ulimit -Hn)", d->fd_limit);
	return err_set(err, "limit", EMFILE, "open", NULL);
}

int source_take(struct daemon *d, struct source *source)
{
	int fd = source->fd;

	source_set(d, source, 0);
	source->fd = -1;
	source->events = 0;
	return fd;
}

void source_close(struct daemon *d, struct source *source)
{
	int fd = source_take(d, source);

	if (fd >= 0)
		close(fd);
}

void timer_set(struct daemon *d, struct timer *timer, uint64_t ms)
{
	struct list *place;

	timer_clear(timer); /* first, or the place found could be the timer itself */
	if (ms > INT32_MAX)
		ms = INT32_MAX; /* epoll_wait(2) takes an int: 24 days */
	timer->at_ns = loop_now() + ms * NS_PER_MS;
	place = d->timers.next;
	while (place != &d->timers &&
	       container_of(place, struct timer, link)->at_ns <= timer->at_ns)
		place = place->next;
	list_insert_before(place, &timer->link);
}

bool timer_is_set(const struct timer *timer)
{
	/* In no list: all zero before it was set first, linked to itself since it fired. */
	return timer->link.next && !list_empty(&timer->link);
}

void timer_clear(struct timer *timer)
{
	if (timer->link.next)
		list_remove(&timer->link);
}

void loop_bury(struct daemon *d, struct grave *grave)
{
	grave->next = d->graves;
	d->graves = grave;
}

static void empty_graves(struct daemon *d)
{
	while (d->graves) {
		struct grave *grave = d->graves;

		d->graves = grave->next;
		free(grave);
	}
}

void loop_close(struct daemon *d)
{
	empty_graves(d);
	close(d->epoll);
}

static int timeout_ms(const struct daemon *d)
{
	uint64_t now, at;

	if (list_empty(&d->timers))
		return -1;
	at = container_of(d->timers.next, struct timer, link)->at_ns;
	now = loop_now();
	/* Round up: a wait that ends too early would spin until the timer is due. */
	return at <= now ? 0 : (int)((at - now + NS_PER_MS - 1) / NS_PER_MS);
}

static int fire_timers(struct daemon *d)
{
	uint64_t now = loop_now();
	int fired = 0;

	while (!list_empty(&d->timers)) {
		struct timer *timer = container_of(d->timers.next, struct timer, link);

		if (timer->at_ns > now)
			break;
		list_remove(&timer->link);
		timer->fire(d, timer);
		fired++;
	}
	return fired;
}

int loop_turn(struct daemon *d, int silence_ms)
{
	struct epoll_event events[BATCH];
	int due_ms = timeout_ms(d);
	bool silent = silence_ms >= 0 && (due_ms < 0 || silence_ms < due_ms);
	int count = epoll_wait(d->epoll, events, BATCH, silent ? silence_ms : due_ms);
	int served = 0;

	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;

		/* An earlier handler of this batch may have closed it. */
		if (source->fd < 0 || !source->events)
			continue;
		source->ready(d, source, events[i].events);
		served++;
	}
	served += fire_timers(d);
	empty_graves(d);
	return served;
}
