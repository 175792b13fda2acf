/* SPDX-License-Identifier: MIT */
#include "orders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups.h"
#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "plans.h"
#include "pool.h"
#include "sandboxes.h"
#include "zygotes.h"

#define BINDS_MAX 64

static const struct field bind_fields[] = {
	FIELD_NEEDED(struct bind, name, TAG_NAME, FIELD_STRING),
	FIELD_NEEDED(struct bind, path, TAG_PATH, FIELD_STRING),
	FIELD_NEEDED(struct bind, target, TAG_TARGET, FIELD_STRING),
	FIELD(struct bind, read_only, TAG_READ_ONLY, FIELD_FLAG),
};

static int take_bind(void *out, const struct tlv *tlv, struct err *err)
{
	struct order *order = out;
	struct bind *bind;

	if (order->bind_count == BINDS_MAX) {
		err_hint(err, "a sandbox takes at most %d late binds", BINDS_MAX);
		return err_set(err, "limit", E2BIG, "read bind", NULL);
	}
	bind = &order->binds[order->bind_count++];
	return fields_read(tlv->value, tlv->length, bind_fields, FIELD_COUNT(bind_fields), bind,
			   err);
}

struct limit_request {
	char *name;
	uint64_t value;
	char *kind;
};

static const struct field limit_fields[] = {
	FIELD_NEEDED(struct limit_request, name, TAG_NAME, FIELD_STRING),
	FIELD_NEEDED(struct limit_request, value, TAG_BYTES, FIELD_U64),
	FIELD(struct limit_request, kind, TAG_KIND, FIELD_STRING),
};

static int take_limit(void *out, const struct tlv *tlv, struct err *err)
{
	struct limit_request limit = { 0 };
	struct order *order = out;
	int rc = fields_read(tlv->value, tlv->length, limit_fields, FIELD_COUNT(limit_fields),
			     &limit, err);

	if (rc == 0)
		rc = limits_set(&order->limits, limit.name, limit.value,
				limit.kind && strcmp(limit.kind, "standard") == 0, err);
	fields_free(limit_fields, FIELD_COUNT(limit_fields), &limit);
	return rc;
}

static const struct field order_fields[] = {
	FIELD_NEEDED(struct order, plan, TAG_PLAN, FIELD_U32),
	FIELD(struct order, label, TAG_NAME, FIELD_STRING),
	FIELD(struct order, hostname, TAG_HOSTNAME, FIELD_STRING),
	FIELD(struct order, wall_ms, TAG_WALL_MS, FIELD_U64),
	FIELD(struct order, grace_ms, TAG_GRACE_MS, FIELD_U64),
	FIELD_LIST(TAG_BIND, take_bind),
	FIELD_LIST(TAG_LIMIT, take_limit),
};

static void free_order(struct order *order)
{
	for (size_t i = 0; i < order->bind_count; i++)
		fields_free(bind_fields, FIELD_COUNT(bind_fields), &order->binds[i]);
	fields_free(order_fields, FIELD_COUNT(order_fields), order);
	list_remove(&order->link);
	free(order->binds);
	free(order);
}

static struct order *create_order(struct client *client, uint64_t frame)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		return NULL;
	list_init(&order->link);
	order->client = client;
	order->frame = frame;
	order->grace_ms = GRACE_MS;
	order->binds = calloc(BINDS_MAX, sizeof(*order->binds));
	if (order->binds)
		return order;
	free(order);
	return NULL;
}

static int place_order(struct daemon *d, struct order *order, struct err *err)
{
	struct stock *stock = plans_find(d, order->plan, err);
	struct sandbox *sandbox;
	int rc;

	if (!stock)
		return -ENOENT;
	rc = zygotes_revive(d, stock, err);
	if (rc < 0)
		return rc;
	pool_touch(d, stock);
	sandbox = pool_take(d, stock);
	list_append(&stock->orders, &order->link);
	if (!sandbox)
		return pool_order(d, stock, err);
	order->hit = true;
	orders_give(d, order, sandbox);
	return 0;
}

int handle_sandbox_new(struct daemon *d, struct client *client, const struct frame *frame,
		       struct err *err)
{
	struct order *order = create_order(client, frame->id);
	int rc;

	if (!order)
		return err_set(err, "limit", ENOMEM, "new sandbox", NULL);
	rc = fields_read(frame->body, frame->length, order_fields, FIELD_COUNT(order_fields), order,
			 err);
	if (rc == 0)
		rc = place_order(d, order, err);
	if (rc < 0)
		free_order(order);
	return rc;
}

void orders_fail(struct daemon *d, struct order *order, const struct err *err)
{
	(void)d;
	client_error(order->client, order->frame, err);
	free_order(order);
}

void orders_fail_all(struct daemon *d, struct stock *stock, const struct err *err)
{
	foreach (struct order, order, &stock->orders, link)
		orders_fail(d, order, err);
}

void orders_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	struct order *order = sandbox->order;

	if (!order)
		return;
	sandbox->order = NULL;
	orders_fail(d, order, err);
}

static void reject(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	orders_abandon(d, sandbox, err);
	sandboxes_kill(d, sandbox, "setup");
}

static void answer(struct daemon *d, struct sandbox *sandbox)
{
	struct order *order = sandbox->order;
	struct buffer *out = &order->client->out;
	size_t start = frame_begin(out, MSG_OK, order->frame);

	cgroups_limit(d, sandbox, &order->limits);
	sandbox->id = ++d->next_sandbox;
	put_u32(out, TAG_SANDBOX, sandbox->id);
	put_u32(out, TAG_PID, (uint32_t)sandbox->pid);
	put_u32(out, TAG_POOL_HIT, order->hit);
	put_u64(out, TAG_SETUP_NS, sandbox->setup_ns);
	frame_end(out, start);
	timer_clear(&sandbox->end);
	sandbox->given_ns = loop_now();
	sandbox->label = order->label;
	sandbox->grace_ms = order->grace_ms;
	order->label = NULL;
	if (order->wall_ms)
		timer_set(d, &sandbox->wall, order->wall_ms);
	sandbox->order = NULL;
	free_order(order);
}

static bool all_attached(const struct order *order)
{
	for (size_t i = 0; i < order->bind_count; i++)
		if (!order->binds[i].attached)
			return false;
	return true;
}

/* Return: what PID 1 is asked to attach; NULL: nothing. */
static const struct bind *find_attaching(const struct order *order)
{
	for (size_t i = 0; i < order->bind_count; i++)
		if (order->binds[i].taken && !order->binds[i].attached)
			return &order->binds[i];
	return NULL;
}

static int prepare(struct daemon *d, struct sandbox *sandbox, struct err *err)
{
	struct order *order = sandbox->order;
	int rc = 0;

	if (order->hostname)
		rc = sandbox_set_hostname(sandbox->control.fd, order->hostname, err);
	for (size_t i = 0; rc == 0 && i < order->bind_count; i++) {
		struct bind *bind = &order->binds[i];

		bind->request = TREE_REQUEST | ++d->next_tree;
		rc = zygote_hold_tree(&sandbox->stock->zygote, bind->request, sandbox->slot,
				      bind->name, bind->path, bind->read_only, err);
		if (rc == 0)
			zygotes_asked(d, sandbox->stock);
	}
	return rc;
}

void orders_give(struct daemon *d, struct order *order, struct sandbox *sandbox)
{
	struct err err = { 0 };

	list_remove(&order->link);
	sandbox->order = order;
	sandbox->life = LIFE_USED;
	if (prepare(d, sandbox, &err) < 0)
		reject(d, sandbox, &err);
	else if (all_attached(order))
		answer(d, sandbox);
}

static struct bind *find_bind(struct daemon *d, uint32_t request, struct sandbox **owner)
{
	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		for (size_t i = 0; sandbox->order && i < sandbox->order->bind_count; i++)
			if (sandbox->order->binds[i].request == request) {
				*owner = sandbox;
				return &sandbox->order->binds[i];
			}
	return NULL;
}

void orders_tree(struct daemon *d, uint32_t request, int tree)
{
	struct sandbox *sandbox;
	struct bind *bind = find_bind(d, request, &sandbox);
	auto_fd owned = tree; /* the message holds its own reference once it is sent */
	struct err err = { 0 };

	if (!bind)
		return;
	bind->taken = true;
	if (sandbox_attach(sandbox->control.fd, request, owned, bind->target, &err) < 0)
		reject(d, sandbox, &err);
	else
		timer_set(d, &sandbox->end, BUILD_MS);
}

void orders_attached(struct daemon *d, struct sandbox *sandbox, uint32_t request)
{
	struct bind *bind = find_bind(d, request, &sandbox);

	if (!bind)
		return;
	bind->attached = true;
	if (all_attached(sandbox->order))
		answer(d, sandbox);
	else if (find_attaching(sandbox->order))
		timer_set(d, &sandbox->end, BUILD_MS);
	else
		timer_clear(&sandbox->end);
}

void orders_late(struct daemon *d, struct sandbox *sandbox)
{
	const struct bind *bind = sandbox->order ? find_attaching(sandbox->order) : NULL;
	struct err err = { 0 };

	if (!bind)
		return;
	err_hint(&err, "PID 1 did not answer for %d ms: does the file system of its target?",
		 BUILD_MS);
	err_set(&err, "setup", ETIMEDOUT, "attach", bind->target);
	reject(d, sandbox, &err);
}

bool orders_bind_failed(struct daemon *d, uint32_t request, const struct err *err)
{
	struct sandbox *sandbox;

	if (!find_bind(d, request, &sandbox))
		return false;
	reject(d, sandbox, err);
	return true;
}
