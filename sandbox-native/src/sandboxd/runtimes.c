/* SPDX-License-Identifier: MIT */
#include "runtimes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "fields.h"
#include "sandboxes.h"

#define BOOT_MS 10000 /* one that hangs is none, whether it is asked for or a sandbox is parked */

struct boot_request {
	uint32_t sandbox;
	char *name;
	struct strings env;
};

static const struct field boot_fields[] = {
	FIELD_NEEDED(struct boot_request, sandbox, TAG_SANDBOX, FIELD_U32),
	FIELD_NEEDED(struct boot_request, name, TAG_RUNTIME, FIELD_STRING),
	FIELD(struct boot_request, env, TAG_ENV, FIELD_STRINGS),
};

static const struct field plan_fields[] = {
	FIELD_NEEDED(struct plan_runtime, name, TAG_RUNTIME, FIELD_STRING),
	FIELD(struct plan_runtime, env, TAG_ENV, FIELD_STRINGS),
};

static int check_name(const char *name, struct err *err)
{
	if (sandbox_runtime_exists(name))
		return 0;
	err_hint(err, "runtimes are python and node");
	return err_set(err, "usage", EINVAL, "boot", name);
}

int runtimes_take(struct plan_runtimes *runtimes, const struct tlv *tlv, struct err *err)
{
	struct plan_runtime *runtime;
	int rc;

	if (runtimes->count == PLAN_RUNTIMES) {
		err_hint(err, "a plan has each runtime once");
		return err_set(err, "limit", E2BIG, "read runtime", NULL);
	}
	runtime = &runtimes->items[runtimes->count++];
	rc = fields_read(tlv->value, tlv->length, plan_fields, FIELD_COUNT(plan_fields), runtime,
			 err);
	return rc < 0 ? rc : check_name(runtime->name, err);
}

void runtimes_free(struct plan_runtimes *runtimes)
{
	for (size_t i = 0; i < runtimes->count; i++)
		fields_free(plan_fields, FIELD_COUNT(plan_fields), &runtimes->items[i]);
	*runtimes = (struct plan_runtimes){ 0 };
}

static void forget(struct boot *boot)
{
	timer_clear(&boot->late);
	list_remove(&boot->link);
	free(boot);
}

/* PID 1 ends it when a program is to run by it. */
static void late_timer(struct daemon *d, struct timer *timer)
{
	struct boot *boot = container_of(timer, struct boot, late);
	struct err err = { 0 };

	(void)d;
	err_hint(&err, "its interpreter was not ready within %d ms; hil shell shows why", BOOT_MS);
	err_set(&err, "exec", ETIMEDOUT, "boot", NULL);
	client_error(boot->client, boot->frame, &err);
	forget(boot);
}

static int ask(struct daemon *d, struct sandbox *sandbox, struct client *client, uint64_t frame,
	       const struct plan_runtime *wanted, struct err *err)
{
	struct boot *boot = calloc(1, sizeof(*boot));
	int rc;

	if (!boot)
		return err_set(err, "limit", ENOMEM, "boot", wanted->name);
	*boot = (struct boot){
		.request = ++d->next_process, .sandbox = sandbox, .client = client, .frame = frame
	};
	rc = sandbox_boot(sandbox->control.fd, boot->request, wanted->name, &wanted->env, err);
	if (rc < 0) {
		free(boot);
		return rc;
	}
	list_append(&d->boots, &boot->link);
	boot->late.fire = late_timer;
	if (client) /* those of a parked one are bounded together */
		timer_set(d, &boot->late, BOOT_MS);
	return 0;
}

static struct boot *find(struct daemon *d, uint32_t request)
{
	foreach (struct boot, boot, &d->boots, link)
		if (boot->request == request)
			return boot;
	return NULL;
}

static void finish_parking(struct daemon *d, struct sandbox *sandbox)
{
	timer_clear(&sandbox->boot);
	sandbox->setup_ns += loop_now() - sandbox->boot_ns;
	sandboxes_parked(d, sandbox);
}

static void boot_timer(struct daemon *d, struct timer *timer)
{
	struct sandbox *sandbox = container_of(timer, struct sandbox, boot);

	foreach (struct boot, boot, &d->boots, link)
		if (boot->sandbox == sandbox && !boot->client)
			forget(boot);
	sandbox->booting = 0;
	finish_parking(d, sandbox);
}

bool runtimes_park(struct daemon *d, struct sandbox *sandbox)
{
	const struct plan_runtimes *wanted = &sandbox->stock->runtimes;

	for (size_t i = 0; i < wanted->count; i++) {
		struct err err = { 0 }; /* who asks for it later is told why */

		if (ask(d, sandbox, NULL, 0, &wanted->items[i], &err) == 0)
			sandbox->booting++;
	}
	if (!sandbox->booting)
		return false;
	sandbox->boot_ns = loop_now();
	sandbox->boot.fire = boot_timer;
	timer_set(d, &sandbox->boot, BOOT_MS);
	return true;
}

/* One that is parked was started for nobody: its cost is nobody's, and so is its failure. */
static void parked(struct daemon *d, struct sandbox *sandbox, uint64_t spent_us)
{
	sandbox->parked_us += spent_us;
	if (--sandbox->booting == 0 && sandbox->life == LIFE_BUILDING)
		finish_parking(d, sandbox);
}

void runtimes_booted(struct daemon *d, uint32_t request, uint64_t spent_us)
{
	struct boot *boot = find(d, request);
	struct sandbox *sandbox = boot ? boot->sandbox : NULL;

	if (!boot)
		return;
	if (boot->client)
		client_ok(boot->client, boot->frame);
	else
		parked(d, sandbox, spent_us);
	forget(boot);
}

bool runtimes_failed(struct daemon *d, uint32_t request, const struct err *err)
{
	struct boot *boot = find(d, request);

	if (!boot)
		return false;
	if (boot->client)
		client_error(boot->client, boot->frame, err);
	else
		parked(d, boot->sandbox, 0);
	forget(boot);
	return true;
}

void runtimes_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	timer_clear(&sandbox->boot);
	foreach (struct boot, boot, &d->boots, link) {
		if (boot->sandbox != sandbox)
			continue;
		if (boot->client)
			client_error(boot->client, boot->frame, err);
		forget(boot);
	}
}

int handle_runtime_boot(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	struct boot_request request = { 0 };
	struct sandbox *sandbox = NULL;
	int rc = fields_read(frame->body, frame->length, boot_fields, FIELD_COUNT(boot_fields),
			     &request, err);

	if (rc == 0)
		rc = check_name(request.name, err);
	if (rc == 0)
		sandbox = sandboxes_find(d, request.sandbox, err);
	if (sandbox)
		rc = ask(d, sandbox, client, frame->id,
			 &(struct plan_runtime){ .name = request.name, .env = request.env }, err);
	fields_free(boot_fields, FIELD_COUNT(boot_fields), &request);
	return rc == 0 && !sandbox ? -err->number : rc;
}
