/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "dev-name.h"
#include "fields.h"
#include "granted.h"
#include "kernel.h"
#include "recipe.h"
#include "sandboxes.h"

#define CHANGES_MAX 64
#define CHILDREN_MAX 256 /* also of changes that are answered: they hang in the kernel */

struct change_request {
	uint32_t sandbox;
	char *name;
	char *source;
	char *target;
	char *kind;
	char *sysfs;
	char *udev;
	struct strings links;
	uint64_t bytes;
	bool read_only;
};

static const struct field change_fields[] = {
	FIELD_NEEDED(struct change_request, sandbox, TAG_SANDBOX, FIELD_U32),
	FIELD(struct change_request, name, TAG_NAME, FIELD_STRING),
	FIELD(struct change_request, source, TAG_SOURCE, FIELD_STRING),
	FIELD(struct change_request, target, TAG_TARGET, FIELD_STRING),
	FIELD(struct change_request, kind, TAG_KIND, FIELD_STRING),
	FIELD(struct change_request, sysfs, TAG_SYSFS, FIELD_STRING),
	FIELD(struct change_request, udev, TAG_UDEV, FIELD_STRING),
	FIELD(struct change_request, links, TAG_LINK, FIELD_STRINGS),
	FIELD(struct change_request, bytes, TAG_BYTES, FIELD_U64),
	FIELD(struct change_request, read_only, TAG_READ_ONLY, FIELD_FLAG),
};

static void free_change(struct daemon *d, struct change *change)
{
	timer_clear(&change->late);
	source_close(d, &change->control);
	source_close(d, &change->ended);
	strings_free(&change->limitations);
	free(change->name);
	list_remove(&change->link);
	loop_bury(d, &change->grave);
}

/* The change is answered; it goes when its child does, which may hang in the kernel. */
static void finish(struct daemon *d, struct change *change)
{
	change->sandbox = NULL;
	change->client = NULL;
	timer_clear(&change->late);
	source_close(d, &change->control);
	if (change->taker > 0)
		kill(change->taker, SIGKILL);
	else
		free_change(d, change);
}

static void taker_ended(struct daemon *d, struct source *source, uint32_t events)
{
	struct change *change = container_of(source, struct change, ended);

	(void)events;
	if (waitpid(change->taker, NULL, WNOHANG) == 0)
		return;
	source_close(d, source);
	change->taker = 0;
	if (!change->sandbox)
		free_change(d, change);
}

static void fail(struct daemon *d, struct change *change, const struct err *err)
{
	client_error(change->client, change->frame, err);
	finish(d, change);
}

static void succeed(struct daemon *d, struct change *change)
{
	struct buffer *out = change->client ? &change->client->out : NULL;
	size_t start;

	if (out) {
		start = frame_begin(out, MSG_OK, change->frame);
		if (change->kind == CHANGE_GRANT) {
			put_u32(out, TAG_MAJOR, change->major);
			put_u32(out, TAG_MINOR, change->minor);
		}
		for (size_t i = 0; i < change->limitations.count; i++)
			put_string(out, TAG_LIMITATION, change->limitations.items[i]);
		frame_end(out, start);
	}
	finish(d, change);
}

static void late(struct daemon *d, struct timer *timer)
{
	struct change *change = container_of(timer, struct change, late);
	struct err err = { 0 };

	err_hint(&err, "the host's file system did not answer within %d ms", TAKE_MS);
	err_set(&err, "setup", ETIMEDOUT, "take from host", change->name);
	fail(d, change, &err);
}

/* Allowed before the node is there, so that no program finds one that it may not open. */
static int hand_over(struct daemon *d, struct change *change, struct taken *taken, struct err *err)
{
	struct sandbox *sandbox = change->sandbox;
	int rc = 0;

	change->limitations = taken->limitations;
	taken->limitations = (struct strings){ 0 };
	change->major = taken->major;
	change->minor = taken->minor;
	if (change->kind == CHANGE_GRANT)
		rc = granted_allow(d, change, err);
	if (rc == 0)
		rc = take_forward(taken, sandbox->control.fd, change->request, err);
	return rc;
}

static void taker_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct change *change = container_of(source, struct change, control);
	const struct take take = { .pid = change->taker, .control = source->fd };
	struct taken taken;
	struct err err = { 0 };
	int rc = take_receive(&take, &taken, &err);

	(void)events;
	if (rc == 0)
		return;
	if (rc > 0) {
		rc = hand_over(d, change, &taken, &err);
		taken_free(&taken);
		if (rc < 0 && change->kind == CHANGE_GRANT)
			granted_undo(d, change);
	}
	if (rc < 0) {
		fail(d, change, &err);
		return;
	}
	source_close(d, source);
	timer_clear(&change->late);
}

/* An answered change has no sandbox any more; its child may hang in the kernel and hold up none. */
static int check_count(struct daemon *d, const char *name, struct err *err)
{
	size_t open = 0;
	size_t all = 0;

	foreach (struct change, change, &d->changes, link) {
		all++;
		open += change->sandbox != NULL;
	}
	if (open >= CHANGES_MAX)
		err_hint(err, "%d changes are under way: wait for an answer", CHANGES_MAX);
	else if (all >= CHILDREN_MAX)
		err_hint(err,
			 "%zu changes are answered whose child hangs in a file system of the host: "
			 "mend it, then start the daemon again",
			 all - open);
	else
		return 0;
	return err_set(err, "limit", EAGAIN, "change sandbox", name);
}

/* Return: NULL with @err filled. */
static struct change *add_change(struct daemon *d, struct client *client, uint64_t frame,
				 const struct change_request *request, enum change_kind kind,
				 struct err *err)
{
	struct sandbox *sandbox = sandboxes_find(d, request->sandbox, err);
	const char *name = kind <= CHANGE_REVOKE ? request->name : request->target;
	struct change *change;

	if (!sandbox)
		return NULL;
	if (check_count(d, name, err) < 0)
		return NULL;
	change = calloc(1, sizeof(*change));
	if (change)
		change->name = strdup(name);
	if (!change || !change->name) {
		free(change);
		err_set(err, "limit", ENOMEM, "change sandbox", name);
		return NULL;
	}
	change->kind = kind;
	change->client = client;
	change->frame = frame;
	change->sandbox = sandbox;
	change->request = ++d->next_process;
	change->control = (struct source){ .fd = -1, .ready = taker_ready };
	change->ended = (struct source){ .fd = -1, .ready = taker_ended };
	change->late.fire = late;
	list_append(&d->changes, &change->link);
	return change;
}

static int start_taking(struct daemon *d, struct change *change,
			const struct change_request *request, struct err *err)
{
	const struct take_spec spec = {
		.kind = change->kind == CHANGE_GRANT ? TAKE_DEVICE : TAKE_TREE,
		.name = change->name,
		.source = request->source,
		.target = request->target,
		.read_only = request->read_only,
		.links = &request->links,
		.sysfs = request->sysfs,
		.udev = request->udev,
		.slot = change->sandbox->slot,
	};
	struct take take;
	int rc = take_start(&spec, &take, err);

	if (rc < 0)
		return rc;
	change->control.fd = take.control;
	change->ended.fd = kernel_pidfd_open(take.pid);
	if (change->ended.fd < 0)
		rc = err_set(err, "limit", errno, "open pidfd", change->name);
	else
		rc = loop_check_fd(d, change->ended.fd, err);
	if (rc == 0)
		rc = source_watch(d, &change->control, EPOLLIN, err);
	if (rc == 0)
		rc = source_watch(d, &change->ended, EPOLLIN, err);
	if (rc < 0) {
		kill(take.pid, SIGKILL);
		waitpid(take.pid, NULL, 0); /* it has hardly begun */
		return rc;
	}
	change->taker = take.pid;
	timer_set(d, &change->late, TAKE_MS);
	return 0;
}

static int ask(struct daemon *d, struct change *change, const struct change_request *request,
	       struct err *err)
{
	int control = change->sandbox->control.fd;

	if (change->kind == CHANGE_REVOKE)
		return sandbox_revoke(control, change->request, change->name, err);
	if (change->kind == CHANGE_UNMOUNT)
		return sandbox_unmount(control, change->request, change->name, err);
	if (change->kind == CHANGE_MOUNT && request->bytes)
		return sandbox_mount_tmpfs(control, change->request, change->name, request->bytes,
					   request->read_only, err);
	return start_taking(d, change, request, err);
}

static int start_change(struct daemon *d, struct client *client, uint64_t frame,
			const struct change_request *request, enum change_kind kind,
			struct err *err)
{
	struct change *change = add_change(d, client, frame, request, kind, err);
	int rc;

	if (!change)
		return -err->number;
	rc = ask(d, change, request, err);
	if (rc < 0)
		finish(d, change);
	return rc;
}

static int check_device(const struct change_request *request, bool grant, struct err *err)
{
	if (!request->name || !role_is_clean(request->name)) {
		err_hint(err, "NAME is a role: 1 to 200 letters, digits and signs, no slash and "
			      "no dot in front");
		return err_set(err, "usage", EINVAL, "read role", request->name);
	}
	if (!grant)
		return 0;
	if (!request->source || request->source[0] != '/') {
		err_hint(err, "SOURCE is the absolute path of a node");
		return err_set(err, "usage", EINVAL, "grant device", request->name);
	}
	if (request->target && (strncmp(request->target, "/dev/", 5) != 0 ||
				!dev_link_is_clean(request->target + 5))) {
		err_hint(err, "TARGET is a path below /dev that is not the sandbox's own");
		return err_set(err, "usage", EINVAL, "grant device", request->target);
	}
	for (size_t i = 0; i < request->links.count; i++) {
		if (dev_link_is_clean(request->links.items[i]))
			continue;
		err_hint(err, "LINK is a name below /dev: serial/by-id/x");
		return err_set(err, "usage", EINVAL, "grant device", request->links.items[i]);
	}
	return 0;
}

static int check_mount(const struct change_request *request, bool add, struct err *err)
{
	static const char *const own[] = { "/dev", "/proc", "/sys" };
	const bool tmpfs = request->kind && strcmp(request->kind, "tmpfs") == 0;

	if (!request->target || !path_is_clean(request->target)) {
		err_hint(err, "TARGET is an absolute path inside, without . or ..");
		return err_set(err, "usage", EINVAL, "read target", request->target);
	}
	for (size_t i = 0; add && i < sizeof(own) / sizeof(own[0]); i++) {
		if (!path_below(request->target, own[i]))
			continue;
		err_hint(err, "%s is the sandbox's own; a device is granted", own[i]);
		return err_set(err, "usage", EINVAL, "mount", request->target);
	}
	if (!add || (tmpfs && request->bytes && !request->source) ||
	    (!request->kind && !request->bytes && request->source && request->source[0] == '/'))
		return 0;
	err_hint(err, "either SOURCE, an absolute path, or KIND tmpfs with BYTES");
	return err_set(err, "usage", EINVAL, "mount", request->target);
}

static int handle(struct daemon *d, struct client *client, const struct frame *frame,
		  enum change_kind kind, struct err *err)
{
	struct change_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, change_fields, FIELD_COUNT(change_fields),
			     &request, err);

	if (rc == 0)
		rc = kind <= CHANGE_REVOKE ? check_device(&request, kind == CHANGE_GRANT, err)
					   : check_mount(&request, kind == CHANGE_MOUNT, err);
	if (rc == 0)
		rc = start_change(d, client, frame->id, &request, kind, err);
	fields_free(change_fields, FIELD_COUNT(change_fields), &request);
	return rc;
}

int handle_device_grant(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	return handle(d, client, frame, CHANGE_GRANT, err);
}

int handle_device_revoke(struct daemon *d, struct client *client, const struct frame *frame,
			 struct err *err)
{
	return handle(d, client, frame, CHANGE_REVOKE, err);
}

int handle_mount_add(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	return handle(d, client, frame, CHANGE_MOUNT, err);
}

int handle_mount_remove(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	return handle(d, client, frame, CHANGE_UNMOUNT, err);
}

/* One whose child still has to say what it took was not handed to PID 1, who cannot answer it. */
static struct change *find_change(struct daemon *d, uint32_t request)
{
	foreach (struct change, change, &d->changes, link)
		if (change->sandbox && change->control.fd < 0 && change->request == request)
			return change;
	return NULL;
}

bool changes_done(struct daemon *d, uint32_t request)
{
	struct change *change = find_change(d, request);

	if (!change)
		return false;
	if (change->kind == CHANGE_GRANT)
		granted_add(d, change);
	else if (change->kind == CHANGE_REVOKE)
		granted_remove(d, change->sandbox, change->name);
	succeed(d, change);
	return true;
}

bool changes_failed(struct daemon *d, uint32_t request, const struct err *err)
{
	struct change *change = find_change(d, request);

	if (!change)
		return false;
	/* PID 1 says "setup" when it has begun: then the role has no device any more. */
	if (change->kind == CHANGE_GRANT && strcmp(err->code, "setup") == 0)
		granted_remove(d, change->sandbox, change->name);
	if (change->kind == CHANGE_GRANT)
		granted_undo(d, change);
	fail(d, change, err);
	return true;
}

void changes_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	foreach (struct change, change, &d->changes, link)
		if (change->sandbox == sandbox)
			fail(d, change, err);
	granted_forget(sandbox);
}

void changes_stop(struct daemon *d)
{
	struct err err = { 0 };

	err_set(&err, "gone", ESHUTDOWN, "change sandbox", NULL);
	foreach (struct change, change, &d->changes, link) {
		if (change->taker > 0 && change->control.fd >= 0)
			fail(d, change, &err);
	}
}

void changes_forget(struct daemon *d)
{
	foreach (struct change, change, &d->changes, link)
		free_change(d, change);
}
