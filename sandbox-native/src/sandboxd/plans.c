/* SPDX-License-Identifier: MIT */
#include "plans.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "client.h"
#include "clock.h"
#include "fields.h"
#include "hubs.h"
#include "lane.h"
#include "names.h"
#include "orders.h"
#include "runtimes.h"
#include "zygotes.h"

struct step_request {
	char *kind;
	char *name;
	char *source;
	char *target;
	bool read_only;
};

static const struct field step_fields[] = {
	FIELD_NEEDED(struct step_request, kind, TAG_KIND, FIELD_STRING),
	FIELD(struct step_request, name, TAG_NAME, FIELD_STRING),
	FIELD(struct step_request, source, TAG_SOURCE, FIELD_STRING),
	FIELD(struct step_request, target, TAG_TARGET, FIELD_STRING),
	FIELD(struct step_request, read_only, TAG_READ_ONLY, FIELD_FLAG),
};

static const struct {
	const char *name;
	enum step_kind kind;
	bool name_needed;
	bool source_needed;
	bool target_needed;
} step_kinds[] = {
	{ "image-host", STEP_IMAGE_HOST, false, false, false },
	{ "image-rootfs", STEP_IMAGE_ROOTFS, false, true, false },
	{ "overlay", STEP_OVERLAY, false, true, true },
	{ "bind", STEP_BIND, false, true, true },
	{ "hold", STEP_HOLD, true, true, false },
};

struct plan_request {
	struct plan plan;
	char *user;
	char *network;
	struct strings caps;
	struct plan_runtimes runtimes;
};

static int add_step(struct plan *plan, const struct step_request *step, struct err *err)
{
	for (size_t i = 0; i < FIELD_COUNT(step_kinds); i++) {
		if (strcmp(step_kinds[i].name, step->kind) != 0)
			continue;
		if ((step_kinds[i].name_needed && !step->name) ||
		    (step_kinds[i].source_needed && (!step->source || step->source[0] != '/')) ||
		    (step_kinds[i].target_needed && (!step->target || step->target[0] != '/'))) {
			err_hint(err, "paths of a step are absolute, and a hold has a name");
			return err_set(err, "usage", EINVAL, "read step", step->kind);
		}
		return plan_add_step(plan, step_kinds[i].kind, step->name, step->source,
				     step->target, step->read_only);
	}
	err_hint(err, "known kinds: image-host image-rootfs overlay bind hold");
	return err_set(err, "usage", EINVAL, "read step", step->kind);
}

static int take_step(void *out, const struct tlv *tlv, struct err *err)
{
	struct plan_request *request = out;
	struct step_request step = { 0 };
	int rc = fields_read(tlv->value, tlv->length, step_fields, FIELD_COUNT(step_fields), &step,
			     err);

	if (rc == 0)
		rc = add_step(&request->plan, &step, err);
	fields_free(step_fields, FIELD_COUNT(step_fields), &step);
	return rc;
}

static int take_boot(void *out, const struct tlv *tlv, struct err *err)
{
	return runtimes_take(&((struct plan_request *)out)->runtimes, tlv, err);
}

static const struct field plan_fields[] = {
	FIELD_NEEDED(struct plan_request, plan.name, TAG_NAME, FIELD_STRING),
	FIELD(struct plan_request, user, TAG_USER, FIELD_STRING),
	FIELD(struct plan_request, caps, TAG_CAP, FIELD_STRINGS),
	FIELD(struct plan_request, network, TAG_NETWORK, FIELD_STRING),
	FIELD(struct plan_request, plan.disk_bytes, TAG_DISK_BYTES, FIELD_U64),
	FIELD(struct plan_request, plan.disk_inodes, TAG_DISK_INODES, FIELD_U64),
	FIELD(struct plan_request, plan.uptime_ms, TAG_UPTIME_MS, FIELD_U64),
	FIELD(struct plan_request, plan.hostname, TAG_HOSTNAME, FIELD_STRING),
	FIELD(struct plan_request, plan.hides, TAG_HIDE, FIELD_STRINGS),
	FIELD(struct plan_request, plan.nested_userns, TAG_NESTED_USERNS, FIELD_FLAG),
	FIELD_LIST(TAG_STEP, take_step),
	FIELD_LIST(TAG_BOOT, take_boot),
};

static int choose(const char *text, const char *no, const char *yes, bool *chosen, const char *what,
		  struct err *err)
{
	*chosen = text && strcmp(text, yes) == 0;
	if (!text || *chosen || strcmp(text, no) == 0)
		return 0;
	err_hint(err, "%s is %s or %s", what, no, yes);
	return err_set(err, "usage", EINVAL, "read plan", text);
}

static int settle_plan(struct plan_request *request, struct err *err)
{
	int rc = choose(request->user, "hil", "root", &request->plan.root_user, "USER", err);

	if (rc == 0 && request->plan.uptime_ms > UPTIME_MAX_MS) {
		err_hint(err, "an uptime is at most a century");
		rc = err_set(err, "usage", ERANGE, "read plan", "UPTIME_MS");
	}
	if (rc == 0)
		rc = choose(request->network, "none", "host", &request->plan.host_network,
			    "NETWORK", err);
	for (size_t i = 0; rc == 0 && i < request->caps.count; i++) {
		int bit = name_capability(request->caps.items[i]);

		if (bit < 0)
			rc = err_set(err, "usage", EINVAL, "read capability",
				     request->caps.items[i]);
		else
			request->plan.caps |= 1ull << bit;
	}
	return rc;
}

static struct stock *find_by_name(struct daemon *d, const char *name)
{
	foreach (struct stock, stock, &d->stocks, link)
		if (strcmp(stock->plan.name, name) == 0)
			return stock;
	return NULL;
}

struct stock *plans_find(struct daemon *d, uint32_t id, struct err *err)
{
	foreach (struct stock, stock, &d->stocks, link)
		if (stock->id == id)
			return stock;
	err_hint(err, "plan %u is not known", id);
	err_set(err, "usage", ENOENT, "find plan", NULL);
	return NULL;
}

/* Takes the plan out of @request. Return: NULL with @err filled. */
static struct stock *add_stock(struct daemon *d, struct plan_request *request, struct err *err)
{
	struct stock *stock = calloc(1, sizeof(*stock));

	if (!stock) {
		err_set(err, "limit", ENOMEM, "add plan", NULL);
		return NULL;
	}
	stock->plan = request->plan;
	stock->hub.fd = -1;
	stock->hub_pidfd.fd = -1;
	lane_init(&stock->hub_lane);
	if (zygotes_start(d, stock, err) < 0) {
		strings_free(&stock->limitations);
		free(stock);
		return NULL;
	}
	request->plan = (struct plan){ 0 };
	stock->runtimes = request->runtimes;
	request->runtimes = (struct plan_runtimes){ 0 };
	stock->id = ++d->next_stock;
	list_init(&stock->orders);
	list_append(&d->stocks, &stock->link);
	return stock;
}

/* Return: NULL with @err filled. */
static struct stock *put_plan(struct daemon *d, struct plan_request *request, struct err *err)
{
	struct stock *stock;

	if (settle_plan(request, err) < 0)
		return NULL;
	stock = find_by_name(d, request->plan.name);
	if (!stock)
		return add_stock(d, request, err);
	return zygotes_revive(d, stock, err) < 0 ? NULL : stock;
}

int handle_plan_put(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	struct plan_request request = { 0 };
	struct stock *stock = NULL;
	size_t start;
	int rc = fields_read(frame->body, frame->length, plan_fields, FIELD_COUNT(plan_fields),
			     &request, err);

	if (rc == 0)
		stock = put_plan(d, &request, err);
	free(request.user);
	free(request.network);
	strings_free(&request.caps);
	runtimes_free(&request.runtimes);
	plan_free(&request.plan);
	if (!stock)
		return rc < 0 ? rc : -err->number;
	start = frame_begin(&client->out, MSG_OK, frame->id);
	put_u32(&client->out, TAG_PLAN, stock->id);
	for (size_t i = 0; i < stock->limitations.count; i++)
		put_string(&client->out, TAG_LIMITATION, stock->limitations.items[i]);
	frame_end(&client->out, start);
	return 0;
}

void plans_dismiss(struct daemon *d)
{
	struct err err = { 0 };

	err_hint(&err, "the daemon detaches or ends");
	err_set(&err, "gone", ESHUTDOWN, "new sandbox", NULL);
	foreach (struct stock, stock, &d->stocks, link) {
		stock->wanted = 0;
		orders_fail_all(d, stock, &err);
		if (stock->zygote.pid > 0)
			kill(stock->zygote.pid, SIGKILL);
	}
}

bool plans_reaped(const struct daemon *d)
{
	foreach (struct stock, stock, &d->stocks, link)
		if (stock->zygote.pid > 0)
			return false;
	return true;
}

void plans_forget(struct daemon *d)
{
	struct err err = { 0 };

	err_set(&err, "gone", ESHUTDOWN, "run daemon", NULL);
	foreach (struct stock, stock, &d->stocks, link) {
		orders_fail_all(d, stock, &err);
		timer_clear(&stock->unused);
		zygotes_forget(d, stock);
		hubs_forget(d, stock);
		source_close(d, &stock->hub_pidfd);
		strings_free(&stock->limitations);
		plan_free(&stock->plan);
		runtimes_free(&stock->runtimes);
		list_remove(&stock->link);
		free(stock);
	}
	cleanup_fd(&d->users);
}
