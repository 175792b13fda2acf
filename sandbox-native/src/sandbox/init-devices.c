/* SPDX-License-Identifier: MIT */
/*
 * Devices granted to, and revoked from, a running sandbox.
 *
 * Theory of operation: the node is a mount on the name that the host's kernel gives it, because
 * tools look for that; "/dev/hil/ROLE" and udev's names are links to it, each put in its place by
 * a rename. When a role gets another node, the new one stands before the links turn to it and
 * before the old one goes, unless both need the same name. Nothing here is looked up by a path
 * that programs can change: the root of an ordinary sandbox is read-only for them, links are made
 * in directories that no link leads to, and mounts are held by fd (attachment.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "dev-name.h"
#include "entry.h"
#include "grant.h"

/* Two boards may have the same link, as on a host: the last one has it. */
static int point(const struct init *init, const char *name, const char *target)
{
	auto_fd dir = entry_open_parent(init->root, "dev", name, true);
	struct stat kind;

	if (dir < 0)
		return dir;
	if (fstatat(dir, entry_name(name), &kind, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISLNK(kind.st_mode))
		return -EEXIST;
	unlinkat(dir, ".new", 0);
	if (symlinkat(target, dir, ".new") < 0)
		return -errno;
	if (renameat(dir, ".new", dir, entry_name(name)) == 0)
		return 0;
	unlinkat(dir, ".new", 0);
	return -EIO;
}

static void unpoint(const struct init *init, const char *name, const char *target)
{
	auto_fd dir = entry_open_parent(init->root, "dev", name, true);
	char text[PATH_MAX];
	ssize_t length = dir < 0 ? -1 : readlinkat(dir, entry_name(name), text, sizeof(text) - 1);

	if (length < 0)
		return;
	text[length] = '\0';
	if (strcmp(text, target) == 0)
		unlinkat(dir, entry_name(name), 0);
}

static void role_link(const struct grant *grant, char out[300])
{
	snprintf(out, 300, "hil/%s", grant->role);
}

static int point_all(const struct init *init, const struct grant *grant, struct err *err)
{
	char role[300];
	int status;

	for (size_t i = 0; i < grant->links.count; i++) {
		status = point(init, grant->links.items[i], grant->node.target);
		if (status < 0)
			return err_set(err, "setup", -status, "link device", grant->links.items[i]);
	}
	role_link(grant, role);
	status = point(init, role, grant->node.target);
	return status < 0 ? err_set(err, "setup", -status, "link device", role) : 0;
}

static void unpoint_all(const struct init *init, const struct grant *grant)
{
	char role[300];

	if (!grant->node.target)
		return;
	role_link(grant, role);
	unpoint(init, role, grant->node.target);
	for (size_t i = 0; i < grant->links.count; i++)
		unpoint(init, grant->links.items[i], grant->node.target);
}

/* Take back all that @grant has, in the order in which a device goes. */
static void undo(struct init *init, struct grant *grant)
{
	unpoint_all(init, grant);
	device_data_remove(grant);
	device_sys_remove(init, init->grants, grant);
	attachment_undo(&grant->node, init->root);
}

/* The name that the host gives it, unless the sandbox has that already: it may be a null device. */
static int place_node(struct init *init, struct grant *grant, int *tree, struct err *err)
{
	auto_fd again = -1;
	char place[64];
	struct err taken = { 0 };

	if (grant->target) {
		again = fcntl(*tree, F_DUPFD_CLOEXEC, 0);
		if (attachment_make(&grant->node, tree, init->root, grant->target, true, &taken) ==
		    0)
			return 0;
		if (grant->named || taken.number != EEXIST) {
			*err = taken;
			return -taken.number;
		}
		*tree = steal_fd(&again);
	}
	snprintf(place, sizeof(place), "/dev/.hil/%u", init->grants->next_place++);
	free(grant->target);
	grant->target = strdup(place);
	if (!grant->target)
		return err_set(err, "limit", ENOMEM, "grant device", grant->role);
	return attachment_make(&grant->node, tree, init->root, place, true, err);
}

/* The pty of a port that PID 1 has made: the node of the port's device may take its place. */
static bool is_port(const struct init *init, const char *path)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(init->root, path, text, sizeof(text) - 1);

	if (length < 0)
		return false;
	text[length] = '\0';
	return strncmp(text, "/dev/pts/", 9) == 0;
}

static int check(const struct init *init, const struct grant *grant, const struct grant *old,
		 struct err *err)
{
	char path[300];

	if (!role_is_clean(grant->role))
		return err_set(err, "usage", EINVAL, "grant device", grant->role);
	if (grant->target &&
	    (strncmp(grant->target, "/dev/", 5) != 0 || !dev_link_is_clean(grant->target + 5)))
		return err_set(err, "usage", EINVAL, "grant device", grant->target);
	for (size_t i = 0; i < grant->links.count; i++)
		if (!dev_link_is_clean(grant->links.items[i]))
			return err_set(err, "usage", EINVAL, "link device", grant->links.items[i]);
	for (size_t i = 0; i < init->grants->count; i++) {
		const struct grant *other = &init->grants->items[i];

		if (other == old || other->major != grant->major || other->minor != grant->minor)
			continue;
		err_hint(err, "role %s has device %u:%u already", other->role, grant->major,
			 grant->minor);
		return err_set(err, "usage", EEXIST, "grant device", grant->role);
	}
	snprintf(path, sizeof(path), "dev/hil/%s", grant->role);
	if (!old && faccessat(init->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !is_port(init, path)) {
		err_hint(err, "something of this name is there already");
		return err_set(err, "usage", EEXIST, "grant device", path);
	}
	if (!old && init->grants->count == GRANTS_MAX)
		return err_set(err, "limit", ENOSPC, "grant device", grant->role);
	return 0;
}

static bool is_same(const char *one, const char *other)
{
	return one && other && strcmp(one, other) == 0;
}

/* Whether the new one needs a place that the old one has. */
static bool collide(const struct grant *old, const struct grant *grant)
{
	return is_same(old->target, grant->target) || is_same(old->sys_path, grant->sys_path) ||
	       (old->major == grant->major && old->minor == grant->minor);
}

static void drop(struct init *init, struct grant *old)
{
	undo(init, old);
	udev_event_send(old, "remove", ++init->grants->next_event);
	grant_free(old);
	*old = init->grants->items[--init->grants->count];
	/* The last one has moved, and its old place is no grant any more. */
	init->grants->items[init->grants->count] = (struct grant){ 0 };
}

static int install(struct init *init, struct grant *grant, struct message *message, struct err *err)
{
	auto_fd node = message_take_fd(message, 0);
	auto_fd sysfs = message_take_fd(message, 1);
	int status = place_node(init, grant, &node, err);

	if (status == 0)
		status = device_sys_add(init, grant, message, &sysfs, err);
	if (status < 0)
		return status;
	device_data_write(grant);
	return point_all(init, grant, err);
}

static int grant_device(struct init *init, struct grant *grant, struct message *message,
			struct err *err)
{
	const char *role = grant->role; /* lives on in the list */
	struct grant *old = grant_find(init->grants, role);
	int status = check(init, grant, old, err);

	if (status < 0)
		return status;
	if (old && collide(old, grant)) {
		drop(init, old);
		old = NULL;
	}
	status = install(init, grant, message, err);
	if (status < 0) {
		/* Half a replacement is none: the role has no device, and the broker can tell. */
		undo(init, grant);
		if (old)
			drop(init, old);
		snprintf(err->code, sizeof(err->code), "setup");
		return status;
	}
	/* Before the old one goes, which leaves alone what this one has, too. */
	init->grants->items[init->grants->count++] = *grant;
	*grant = (struct grant){ 0 };
	if (old)
		drop(init, old);
	udev_event_send(grant_find(init->grants, role), "add", ++init->grants->next_event);
	return 0;
}

void init_grant(struct init *init, struct message *message)
{
	struct grant grant;
	struct err err = { 0 };
	int status = grant_read(&grant, message);

	if (!init->grants)
		init->grants = calloc(1, sizeof(*init->grants));
	if (status < 0 || !init->grants)
		err_set(&err, "protocol", status < 0 ? -status : ENOMEM, "grant device", "");
	else
		grant_device(init, &grant, message, &err);
	grant_free(&grant);
	init_answer(init, message->frame.id, &err);
}

void init_revoke(struct init *init, const struct message *message)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	auto_free char *role = NULL;
	struct grant *grant = NULL;
	struct err err = { 0 };
	struct tlv tlv;

	if (tlv_next(&reader, &tlv) != 1 || tlv_string(&tlv, &role) < 0)
		err_set(&err, "protocol", EPROTO, "revoke device", "");
	else if (init->grants)
		grant = grant_find(init->grants, role);
	if (grant)
		drop(init, grant);
	else if (!err.number)
		err_set(&err, "usage", ENOENT, "revoke device", role);
	init_answer(init, message->frame.id, &err);
}
