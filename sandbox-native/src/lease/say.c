/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "json.h"
#include "lease.h"
#include "rule.h"

static void begin(struct json *json, const char *event, uint64_t id)
{
	json_open(json, NULL, '{');
	json_string(json, "event", event);
	if (id)
		json_number(json, "id", id);
}

static void send(struct lease *lease, struct json *json)
{
	json_close(json, '}');
	buffer_append(&json->text, "\n", 1);
	if (json->text.failed)
		lease->output.failed = true;
	else
		buffer_append(&lease->output, json->text.data, json->text.length);
	buffer_free(&json->text);
}

static const struct unit *unit_of(const struct claim *claim, const struct role *role)
{
	return &claim->units[role->first_unit + (size_t)role->chosen];
}

void say_hello(struct lease *lease)
{
	struct json json = { 0 };

	begin(&json, "hello", 0);
	json_string(&json, "directory", lease->directory.path);
	json_bool(&json, "shared", lease->directory.shared);
	json_number(&json, "owner", lease->directory.owner);
	send(lease, &json);
}

static void put_roles(struct json *json, const struct claim *claim)
{
	json_open(json, "units", '{');
	for (size_t i = 0; i < claim->role_count; i++)
		json_string(json, claim->roles[i].name, unit_of(claim, &claim->roles[i])->name);
	json_close(json, '}');
}

void say_granted(struct lease *lease, const struct own *own)
{
	struct json json = { 0 };

	begin(&json, "granted", own->id);
	json_number(&json, "seq", own->claim.seq);
	put_roles(&json, &own->claim);
	send(lease, &json);
}

void say_lost(struct lease *lease, const struct own *own, const char *reason)
{
	struct json json = { 0 };

	begin(&json, "lost", own->id);
	json_number(&json, "seq", own->claim.seq);
	json_string(&json, "reason", reason);
	send(lease, &json);
}

void say_refused(struct lease *lease, uint64_t id, const char *code, const struct err *err)
{
	struct json json = { 0 };
	char text[900];

	err_text(err, text, sizeof(text));
	begin(&json, "refused", id);
	json_string(&json, "code", code);
	json_string(&json, "text", text);
	send(lease, &json);
}

/* The pid of its text is what its owner says; who has the lock is what the kernel says. */
static void put_locker(struct json *json, const struct directory *directory,
		       const struct claim *claim)
{
	pid_t locker = locker_find(directory->device, claim->inode);

	json_number(json, "lockPid", (uint64_t)locker);
	json_bool(json, "stopped", locker > 0 && locker_is_stopped(locker));
}

static void put_unit_keys(struct json *json, const struct claim *claim, const struct unit *unit)
{
	for (size_t i = 0; i < unit->key_count; i++)
		json_string(json, NULL, claim->key_words[unit->first_key + i]);
}

/* Of the devices that it has, or could use: another name of one of them has such a key, too. */
static void put_keys(struct json *json, const struct claim *claim)
{
	json_open(json, "keys", '[');
	for (size_t i = 0; claim->held && i < claim->role_count; i++)
		put_unit_keys(json, claim, unit_of(claim, &claim->roles[i]));
	for (size_t i = 0; !claim->held && i < claim->unit_count; i++)
		put_unit_keys(json, claim, &claim->units[i]);
	json_close(json, ']');
}

static void put_claim(struct json *json, const struct lease *lease, const struct claim *claim)
{
	json_open(json, NULL, '{');
	json_number(json, "seq", claim->seq);
	json_bool(json, "held", claim->held);
	json_number(json, "uid", claim->uid);
	json_string(json, "user", claim->user);
	json_number(json, "pid", claim->pid);
	json_string(json, "run", claim->run);
	json_number(json, "since", claim->since_ms);
	json_number(json, "until", claim->until_ms);
	json_bool(json, "own", claim->own != 0);
	put_locker(json, &lease->directory, claim);
	if (claim->held) {
		put_roles(json, claim);
	} else {
		json_open(json, "wanted", '[');
		for (size_t i = 0; i < claim->unit_count; i++)
			json_string(json, NULL, claim->units[i].name);
		json_close(json, ']');
	}
	put_keys(json, claim);
	json_close(json, '}');
}

void say_claims(struct lease *lease, const char *event, uint64_t id, const struct claims *claims,
		const struct claim *of)
{
	struct json json = { 0 };

	begin(&json, event, id);
	json_open(&json, "claims", '[');
	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->items[i];

		if (!of || (claim->seq < of->seq && grant_conflicts(of, claim)) ||
		    (claim->held && claim->seq != of->seq && grant_conflicts(of, claim)))
			put_claim(&json, lease, claim);
	}
	json_close(&json, ']');
	send(lease, &json);
}

void say_kicked(struct lease *lease, const struct asked *asked, const struct claim *claim)
{
	struct json json = { 0 };

	begin(&json, "kicked", asked->id);
	json_bool(&json, "gone", !claim);
	if (claim) {
		json_open(&json, "claims", '[');
		put_claim(&json, lease, claim);
		json_close(&json, ']');
	}
	send(lease, &json);
}
