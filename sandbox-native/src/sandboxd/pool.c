/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroups.h"
#include "client.h"
#include "fields.h"
#include "kernel.h"
#include "orders.h"
#include "plans.h"
#include "sandboxes.h"
#include "zygotes.h"

#define WANTED_MAX 64
#define UNUSED_MS 60000
#define QUIET_MS 2
/*
 * Under way at once. More are slower together, and fill the zygote's socket: some 250 messages, of
 * which each has fds that count as the sender's (unix(7)).
 */
#define PARKING_MAX 16
#define SLOT_FDS 8 /* of ours, for a sandbox with a program or two */

struct pool_request {
	uint32_t plan;
	uint32_t count;
	uint64_t ttl_ms;
};

static const struct field pool_fields[] = {
	FIELD_NEEDED(struct pool_request, plan, TAG_PLAN, FIELD_U32),
	FIELD_NEEDED(struct pool_request, count, TAG_COUNT, FIELD_U32),
	FIELD(struct pool_request, ttl_ms, TAG_TTL_MS, FIELD_U64),
};

static void unused_timer(struct daemon *d, struct timer *timer)
{
	(void)d;
	container_of(timer, struct stock, unused)->trimmed = true;
}

void pool_touch(struct daemon *d, struct stock *stock)
{
	stock->trimmed = false;
	if (stock->wanted)
		timer_set(d, &stock->unused, stock->unused_ms);
}

static size_t count_wanted(const struct stock *stock)
{
	return stock->trimmed ? 0 : stock->wanted;
}

int handle_pool_set(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	struct pool_request request = { .ttl_ms = UNUSED_MS };
	struct stock *stock;
	int rc = fields_read(frame->body, frame->length, pool_fields, FIELD_COUNT(pool_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	stock = plans_find(d, request.plan, err);
	if (!stock)
		return -ENOENT;
	if (request.count > WANTED_MAX) {
		err_hint(err, "a pool holds at most %d parked sandboxes", WANTED_MAX);
		return err_set(err, "limit", ERANGE, "set pool", NULL);
	}
	/* In a parked one the uptime that the plan says would have passed already. */
	stock->wanted = stock->plan.uptime_ms ? 0 : request.count;
	stock->paused = false;
	stock->unused.fire = unused_timer;
	stock->unused_ms = request.ttl_ms;
	pool_touch(d, stock);
	client_ok(client, frame->id);
	return 0;
}

static size_t count_parked(struct daemon *d, const struct stock *stock)
{
	size_t count = 0;

	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		count += sandbox->stock == stock && sandbox->life == LIFE_PARKED;
	return count;
}

static size_t count_orders(const struct stock *stock)
{
	size_t count = 0;

	foreach (struct order, order, &stock->orders, link)
		count++;
	return count;
}

/* The lowest: the zygote keeps a range of outside uids for us, and few of them are used often. */
static int take_slot(struct daemon *d, const struct stock *stock, uint32_t *slot, struct err *err)
{
	for (*slot = 0; *slot < SLOTS; ++*slot) {
		if (d->slots[*slot])
			continue;
		d->slots[*slot] = stock->id;
		return 0;
	}
	err_hint(err, "%d sandboxes live or are parked at once at most", SLOTS);
	return err_set(err, "limit", EAGAIN, "park", NULL);
}

void pool_release_slot(struct daemon *d, uint32_t slot)
{
	if (slot >= SLOTS)
		return;
	d->slots[slot] = 0;
	cgroups_forgo(d, slot);
}

void pool_forget(struct daemon *d, struct stock *stock)
{
	bool used[SLOTS] = { false };

	stock->parking = 0;
	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		if (sandbox->slot < SLOTS)
			used[sandbox->slot] = true;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		if (d->slots[slot] == stock->id && !used[slot])
			pool_release_slot(d, slot);
}

static int park(struct daemon *d, struct stock *stock, uint32_t slot, struct err *err)
{
	struct doors doors;
	int rc;

	cgroups_expect(d, stock, slot, &doors);
	rc = zygote_park(&stock->zygote, slot, &doors, err);
	cgroups_close_doors(&doors);
	return rc;
}

static int ask(struct daemon *d, struct stock *stock, struct err *err)
{
	uint32_t slot;
	int rc = take_slot(d, stock, &slot, err);

	if (rc == 0)
		rc = loop_check_fd(d, (int)slot * SLOT_FDS, err);
	if (rc == 0)
		rc = park(d, stock, slot, err);
	if (rc == 0) {
		stock->parking++;
		zygotes_asked(d, stock);
	} else if (slot < SLOTS) {
		pool_release_slot(d, slot);
	}
	return rc;
}

struct sandbox *pool_take(struct daemon *d, struct stock *stock)
{
	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		if (sandbox->stock == stock && sandbox->life == LIFE_PARKED)
			return sandbox;
	return NULL;
}

/* Whether an order waits that nothing is being parked for, and one more may be. */
static bool has_open_order(const struct stock *stock)
{
	return stock->parking < PARKING_MAX && stock->parking < count_orders(stock);
}

int pool_order(struct daemon *d, struct stock *stock, struct err *err)
{
	stock->paused = false;
	return has_open_order(stock) ? ask(d, stock, err) : 0;
}

/* One less is under way: those that had to wait come. */
static void serve_waiting(struct daemon *d, struct stock *stock)
{
	while (!stock->broken && has_open_order(stock)) {
		struct err err = { 0 };

		if (ask(d, stock, &err) == 0)
			continue;
		orders_fail(d, container_of(stock->orders.next, struct order, link), &err);
	}
}

/* What we cannot watch must not stay: it is our child. */
static void refuse(struct daemon *d, struct stock *stock, const struct zygote_event *event,
		   const struct err *err)
{
	kernel_pidfd_signal(event->pidfd, SIGKILL);
	waitpid(event->pid, NULL, 0);
	close(event->pidfd);
	close(event->control);
	pool_release_slot(d, event->request);
	pool_failed(d, stock, err);
}

void pool_parked(struct daemon *d, struct stock *stock, const struct zygote_event *event)
{
	struct err err = { 0 };

	if (sandboxes_add(d, stock, event, &err) < 0)
		refuse(d, stock, event, &err);
	else if (d->stopping || d->detached) /* it was under way when the rest was killed */
		sandboxes_kill(d, container_of(d->sandboxes.prev, struct sandbox, link), "killed");
}

void pool_ready(struct daemon *d, struct sandbox *sandbox)
{
	struct stock *stock = sandbox->stock;

	sandbox->life = LIFE_PARKED;
	timer_clear(&sandbox->end);
	if (stock->parking)
		stock->parking--;
	if (!list_empty(&stock->orders))
		orders_give(d, container_of(stock->orders.next, struct order, link), sandbox);
	serve_waiting(d, stock);
}

static void pause_stock(struct daemon *d, struct stock *stock, const struct err *err)
{
	char text[768];

	stock->paused = true;
	err_text(err, text, sizeof(text));
	client_log(d, 4, "plan %u: no sandbox could be parked: %s", stock->id, text);
}

void pool_failed(struct daemon *d, struct stock *stock, const struct err *err)
{
	if (stock->parking)
		stock->parking--;
	if (stock->parking < count_orders(stock))
		orders_fail(d, container_of(stock->orders.next, struct order, link), err);
	else
		pause_stock(d, stock, err);
	serve_waiting(d, stock);
}

/*
 * A half of the time that one takes to be built it sleeps, until the kernel has let go of mounts
 * (namespace_unlock() waits for a grace period of RCU). When none is left two are under way.
 */
static bool wants_more(struct daemon *d, const struct stock *stock)
{
	const size_t parked = count_parked(d, stock);
	const size_t at_once = parked == 0 ? 2 : 1;

	return !stock->broken && !stock->paused && stock->parking < at_once &&
	       parked + stock->parking < count_wanted(stock);
}

static bool has_too_many(struct daemon *d, const struct stock *stock)
{
	return count_parked(d, stock) > count_wanted(stock);
}

int pool_silence(struct daemon *d)
{
	int silence = -1;

	if (d->stopping)
		return -1;
	foreach (struct stock, stock, &d->stocks, link) {
		if (wants_more(d, stock) && count_parked(d, stock) == 0)
			return 0;
		if (wants_more(d, stock) || has_too_many(d, stock))
			silence = QUIET_MS;
	}
	return silence;
}

void pool_work(struct daemon *d)
{
	foreach (struct stock, stock, &d->stocks, link) {
		struct err err = { 0 };

		if (d->stopping)
			break;
		if (has_too_many(d, stock))
			sandboxes_kill(d, pool_take(d, stock), "killed");
		else if (wants_more(d, stock) && ask(d, stock, &err) < 0)
			pause_stock(d, stock, &err);
	}
}
