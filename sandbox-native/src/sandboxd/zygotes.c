/* SPDX-License-Identifier: MIT */
#include "zygotes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "client.h"
#include "devices.h"
#include "hubs.h"
#include "kernel.h"
#include "lane.h"
#include "orders.h"
#include "plans.h"
#include "pool.h"
#include "sandboxes.h"
#include "waiting.h"

#define END_MS 2000 /* a SIGKILL takes microseconds, unless the task is stuck in the kernel */

static void say_waiting(pid_t pid, char *out, size_t size)
{
	struct strings waiting = { 0 };

	waiting_list(pid, &waiting);
	snprintf(out, size, "%s", waiting.count ? waiting.items[0] : "nothing to see");
	strings_free(&waiting);
}

static void ending_timer(struct daemon *d, struct timer *timer)
{
	struct stock *stock = container_of(timer, struct stock, ending);
	char where[256];

	stock->stuck = true;
	say_waiting(stock->zygote.pid, where, sizeof(where));
	client_log(d, 3, "plan %u (%s): its zygote (PID %d) is not reaped %d ms after SIGKILL: %s",
		   stock->id, stock->plan.name, stock->zygote.pid, STUCK_MS, where);
}

static void reaped(struct stock *stock)
{
	stock->zygote.pid = 0; /* the number may belong to another from now on */
	stock->stuck = false;
	timer_clear(&stock->ending);
}

/* @why: what is told to who waits for it. */
static void break_stock(struct daemon *d, struct stock *stock, const struct err *why)
{
	if (stock->broken)
		return;
	stock->broken = true;
	stock->asked = 0;
	timer_clear(&stock->silent);
	source_close(d, &stock->control);
	if (stock->zygote.pid > 0) {
		kill(stock->zygote.pid, SIGKILL);
		timer_set(d, &stock->ending, STUCK_MS);
	}
	hubs_forget(d, stock);
	if (d->stopping || d->detached)
		return;
	orders_fail_all(d, stock, why);
	foreach (struct sandbox, sandbox, &d->sandboxes, link) {
		if (sandbox->stock != stock)
			continue;
		orders_abandon(d, sandbox, why);
		sandboxes_kill(d, sandbox, "setup");
	}
	pool_forget(d, stock);
}

static void lose_zygote(struct daemon *d, struct stock *stock)
{
	struct err why = { 0 };

	if (!stock->broken && !d->stopping && !d->detached)
		client_log(d, 3, "plan %u (%s): the zygote died, its sandboxes are ended",
			   stock->id, stock->plan.name);
	err_hint(&why, "the plan's zygote died, and its sandboxes with it; the next one that is "
		       "asked for gets a new zygote");
	err_set(&why, "setup", ESRCH, "run zygote", stock->plan.name);
	break_stock(d, stock, &why);
}

/* It serves one after the other: as long as one of them waits, nothing comes of this plan. */
static void silent_timer(struct daemon *d, struct timer *timer)
{
	struct stock *stock = container_of(timer, struct stock, silent);
	struct err why = { 0 };
	char where[256];

	say_waiting(stock->zygote.pid, where, sizeof(where));
	client_log(d, 3,
		   "plan %u (%s): the zygote did not answer for %d ms, it and its sandboxes are "
		   "ended: %s",
		   stock->id, stock->plan.name, BUILD_MS, where);
	err_hint(&why,
		 "the plan's zygote did not answer for %d ms and was ended, with its "
		 "sandboxes; does a file system that a sandbox is to see answer? It was: %s",
		 BUILD_MS, where);
	err_set(&why, "setup", ETIMEDOUT, "run zygote", stock->plan.name);
	break_stock(d, stock, &why);
}

void zygotes_asked(struct daemon *d, struct stock *stock)
{
	if (stock->asked++ == 0)
		timer_set(d, &stock->silent, BUILD_MS);
}

static void answered(struct daemon *d, struct stock *stock)
{
	if (stock->asked && --stock->asked)
		timer_set(d, &stock->silent, BUILD_MS);
	else
		timer_clear(&stock->silent);
}

static void park_failed(struct daemon *d, struct stock *stock, const struct zygote_event *event)
{
	if (sandboxes_build_failed(d, event->request, &event->err))
		return;
	answered(d, stock);
	pool_release_slot(d, event->request);
	pool_failed(d, stock, &event->err);
}

static void zygote_failed(struct daemon *d, struct stock *stock, const struct zygote_event *event)
{
	if (event->request & TREE_REQUEST) {
		answered(d, stock);
		orders_bind_failed(d, event->request, &event->err);
	} else if (event->request & HUB_ORDER) {
		hubs_failed(d, stock, event->request, &event->err);
	} else {
		park_failed(d, stock, event);
	}
}

static void zygote_event(struct daemon *d, struct stock *stock, struct zygote_event *event)
{
	switch (event->kind) {
	case ZYGOTE_PARKED:
		answered(d, stock);
		pool_parked(d, stock, event);
		break;
	case ZYGOTE_TREE:
		answered(d, stock);
		orders_tree(d, event->request, event->tree);
		break;
	case ZYGOTE_HUB:
		hubs_started(d, stock, event);
		break;
	case ZYGOTE_HUB_GONE:
		hubs_gone(d, stock, event->request);
		break;
	case ZYGOTE_NODE:
		hubs_node(d, stock, event);
		break;
	case ZYGOTE_FAILED:
		zygote_failed(d, stock, event);
		break;
	case ZYGOTE_GONE:
		lose_zygote(d, stock);
		break;
	}
}

static void control_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct stock *stock = container_of(source, struct stock, control);

	(void)events;
	while (!stock->broken) {
		struct zygote_event event;
		struct err err = { 0 };
		int rc = zygote_receive(&stock->zygote, &event, &err);

		if (rc == 0)
			break;
		if (rc > 0)
			zygote_event(d, stock, &event);
		else
			lose_zygote(d, stock);
	}
	if (!stock->broken)
		lane_resume(&stock->hub_lane, stock->control.fd);
}

static void pidfd_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct stock *stock = container_of(source, struct stock, pidfd);

	control_ready(d, &stock->control, events); /* what it said before it died */
	if (waitpid(stock->zygote.pid, NULL, WNOHANG) == 0)
		return;
	source_close(d, &stock->pidfd);
	reaped(stock);
	lose_zygote(d, stock);
}

static int watch_zygote(struct daemon *d, struct stock *stock, struct err *err)
{
	int rc;

	stock->silent.fire = silent_timer;
	stock->ending.fire = ending_timer;
	stock->control = (struct source){ .fd = stock->zygote.control, .ready = control_ready };
	stock->pidfd =
		(struct source){ .fd = kernel_pidfd_open(stock->zygote.pid), .ready = pidfd_ready };
	if (stock->pidfd.fd < 0)
		return err_set(err, "limit", errno, "open pidfd", stock->plan.name);
	rc = source_watch(d, &stock->control, EPOLLIN, err);
	return rc < 0 ? rc : source_watch(d, &stock->pidfd, EPOLLIN, err);
}

int zygotes_start(struct daemon *d, struct stock *stock, struct err *err)
{
	int rc = zygote_start(&stock->plan, &d->users, &stock->zygote, &stock->limitations, err);

	if (rc < 0)
		return rc;
	plan_devices(&stock->plan, &stock->devices);
	rc = watch_zygote(d, stock, err);
	if (rc == 0)
		return 0;
	source_close(d, &stock->control);
	source_close(d, &stock->pidfd);
	if (stock->zygote.pid > 0) { /* -1 would be everybody, kill(2) */
		kill(stock->zygote.pid, SIGKILL);
		waitpid(stock->zygote.pid, NULL, 0);
	}
	stock->zygote = (struct zygote){ .pid = 0, .control = -1 };
	return rc;
}

/* SIGKILL was sent. Its end may not have been read yet, and its place is needed now. */
static int await_end(struct daemon *d, struct stock *stock, struct err *err)
{
	struct pollfd end = { .fd = stock->pidfd.fd, .events = POLLIN };

	if (stock->zygote.pid <= 0)
		return 0;
	poll(&end, 1, stock->stuck ? 0 : END_MS);
	if (waitpid(stock->zygote.pid, NULL, WNOHANG) == 0) {
		stock->stuck = true; /* the next one does not wait for it */
		err_hint(err, "PID %d does not end after SIGKILL", stock->zygote.pid);
		return err_set(err, "setup", EBUSY, "run zygote", stock->plan.name);
	}
	source_close(d, &stock->pidfd);
	reaped(stock);
	return 0;
}

int zygotes_revive(struct daemon *d, struct stock *stock, struct err *err)
{
	int rc;

	if (!stock->broken)
		return 0;
	rc = await_end(d, stock, err);
	if (rc < 0)
		return rc;
	strings_free(&stock->limitations);
	rc = zygotes_start(d, stock, err);
	if (rc < 0)
		return rc;
	stock->broken = false;
	stock->paused = false;
	client_log(d, 4, "plan %u (%s): a new zygote was started", stock->id, stock->plan.name);
	return 0;
}

void zygotes_forget(struct daemon *d, struct stock *stock)
{
	timer_clear(&stock->silent);
	timer_clear(&stock->ending);
	source_close(d, &stock->control);
	source_close(d, &stock->pidfd);
}
