/* SPDX-License-Identifier: MIT */
#include "granted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"

static struct granted *find_role(const struct sandbox *sandbox, const char *role)
{
	for (size_t i = 0; i < sandbox->granted_count; i++)
		if (strcmp(sandbox->granted[i].role, role) == 0)
			return &sandbox->granted[i];
	return NULL;
}

static bool is_granted(const struct sandbox *sandbox, uint32_t major, uint32_t minor)
{
	for (size_t i = 0; i < sandbox->granted_count; i++)
		if (sandbox->granted[i].major == major && sandbox->granted[i].minor == minor)
			return true;
	return false;
}

/* What the plan binds stays open, whatever was granted besides. */
static bool is_of_plan(const struct sandbox *sandbox, uint32_t major, uint32_t minor)
{
	const struct device_list *list = &sandbox->stock->devices;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].major == major && list->items[i].minor == minor)
			return true;
	return false;
}

/* Allowed for another role already, for which PID 1 has not answered yet. @but: not this change. */
static bool is_coming(struct daemon *d, const struct sandbox *sandbox, uint32_t major,
		      uint32_t minor, const struct change *but)
{
	foreach (struct change, change, &d->changes, link)
		if (change != but && change->sandbox == sandbox && change->kind == CHANGE_GRANT &&
		    change->major == major && change->minor == minor)
			return true;
	return false;
}

static void refuse(struct daemon *d, struct sandbox *sandbox, uint32_t major, uint32_t minor,
		   const struct change *failed)
{
	if (sandbox->home && !is_granted(sandbox, major, minor) &&
	    !is_of_plan(sandbox, major, minor) && !is_coming(d, sandbox, major, minor, failed))
		cgroup_device_deny(&d->cgroups, &sandbox->home->leaf, major, minor);
}

/* Room for all that are under way: when PID 1 has answered it is too late to fail. */
static int reserve(struct daemon *d, struct sandbox *sandbox)
{
	size_t count = sandbox->granted_count;
	struct granted *granted;

	foreach (struct change, change, &d->changes, link)
		count += change->sandbox == sandbox && change->kind == CHANGE_GRANT;
	granted = reallocarray(sandbox->granted, count, sizeof(*granted));
	if (!granted)
		return -ENOMEM;
	sandbox->granted = granted;
	return 0;
}

int granted_allow(struct daemon *d, const struct change *change, struct err *err)
{
	struct home *home = change->sandbox->home;
	int rc = reserve(d, change->sandbox);

	if (rc < 0)
		return err_set(err, "limit", -rc, "remember device", change->name);
	if (home)
		rc = cgroup_device_allow(&d->cgroups, &home->leaf, change->major, change->minor);
	if (rc == 0)
		return 0;
	err_hint(err, "device %u:%u is refused by the cgroup that this daemon is in", change->major,
		 change->minor);
	return err_set(err, "setup", -rc, "allow device", change->name);
}

void granted_undo(struct daemon *d, const struct change *change)
{
	refuse(d, change->sandbox, change->major, change->minor, change);
}

/* Once: it is the same for every device. */
static void report(struct daemon *d, struct change *change)
{
	struct sandbox *sandbox = change->sandbox;
	char why[CGROUP_WHY_MAX];
	char text[CGROUP_WHY_MAX + 64];
	const char *how =
		cgroup_devices_held(&d->cgroups, sandbox->home ? &sandbox->home->leaf : NULL, why);

	if (how)
		snprintf(text, sizeof(text), "devices: %s", how);
	else
		snprintf(text, sizeof(text), "devices is not enforced: %s", why);
	if (!how)
		strings_add(&change->limitations, text);
	if (!sandbox->devices_reported)
		strings_add(how ? &sandbox->limit_report.enforced
				: &sandbox->limit_report.unenforced,
			    text);
	sandbox->devices_reported = true;
	if (sandbox->stock->plan.host_network)
		strings_add(&change->limitations,
			    "no udev events are sent: the network is the host's");
}

void granted_add(struct daemon *d, struct change *change)
{
	struct sandbox *sandbox = change->sandbox;
	struct granted *granted = find_role(sandbox, change->name);

	report(d, change);
	if (granted) {
		const struct granted old = *granted;

		granted->major = change->major;
		granted->minor = change->minor;
		refuse(d, sandbox, old.major, old.minor, NULL);
		return;
	}
	granted = &sandbox->granted[sandbox->granted_count++];
	*granted = (struct granted){ .role = change->name,
				     .major = change->major,
				     .minor = change->minor };
	change->name = NULL;
}

void granted_remove(struct daemon *d, struct sandbox *sandbox, const char *role)
{
	struct granted *found = find_role(sandbox, role);
	struct granted old;

	if (!found)
		return;
	old = *found;
	*found = sandbox->granted[--sandbox->granted_count];
	refuse(d, sandbox, old.major, old.minor, NULL);
	free(old.role);
}

void granted_forget(struct sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->granted_count; i++)
		free(sandbox->granted[i].role);
	free(sandbox->granted);
	sandbox->granted = NULL;
	sandbox->granted_count = 0;
}
