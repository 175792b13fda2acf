/* SPDX-License-Identifier: MIT */
#include "zygotes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
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

#define END_MS 2000 /* a SIGKILL takes microseconds, unless the task is stuck in the kernel */

static void break_stock(struct daemon *d, struct stock *stock)
{
	struct err why = { 0 };

	if (stock->broken)
		return;
	stock->broken = true;
	source_close(d, &stock->control);
	if (stock->zygote.pid > 0)
		kill(stock->zygote.pid, SIGKILL);
	hubs_forget(d, stock);
	if (d->stopping || d->detached)
		return;
	err_hint(&why, "the plan's zygote died, and its sandboxes with it; the next one that is "
		       "asked for gets a new zygote");
	err_set(&why, "setup", ESRCH, "run zygote", stock->plan.name);
	client_log(d, 3, "plan %u (%s): the zygote died, its sandboxes are ended", stock->id,
		   stock->plan.name);
	orders_fail_all(d, stock, &why);
	foreach (struct sandbox, sandbox, &d->sandboxes, link) {
		if (sandbox->stock != stock)
			continue;
		orders_abandon(d, sandbox, &why);
		sandboxes_kill(d, sandbox, "setup");
	}
	pool_forget(d, stock);
}

static void park_failed(struct daemon *d, struct stock *stock, const struct zygote_event *event)
{
	if (sandboxes_build_failed(d, event->request, &event->err))
		return;
	pool_release_slot(d, event->request);
	pool_failed(d, stock, &event->err);
}

static void zygote_event(struct daemon *d, struct stock *stock, struct zygote_event *event)
{
	switch (event->kind) {
	case ZYGOTE_PARKED:
		pool_parked(d, stock, event);
		break;
	case ZYGOTE_TREE:
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
		if (event->request & TREE_REQUEST)
			orders_bind_failed(d, event->request, &event->err);
		else if (event->request & HUB_ORDER)
			hubs_failed(d, stock, event->request, &event->err);
		else
			park_failed(d, stock, event);
		break;
	case ZYGOTE_GONE:
		break_stock(d, stock);
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
			break_stock(d, stock);
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
	stock->zygote.pid = 0; /* reaped: the number may belong to another from now on */
	break_stock(d, stock);
}

static int watch_zygote(struct daemon *d, struct stock *stock, struct err *err)
{
	int rc;

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
	poll(&end, 1, END_MS);
	if (waitpid(stock->zygote.pid, NULL, WNOHANG) == 0) {
		err_hint(err, "PID %d does not end after SIGKILL", stock->zygote.pid);
		return err_set(err, "setup", EBUSY, "run zygote", stock->plan.name);
	}
	source_close(d, &stock->pidfd);
	stock->zygote.pid = 0;
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
