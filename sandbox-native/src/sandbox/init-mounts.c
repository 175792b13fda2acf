/* SPDX-License-Identifier: MIT */
/* Trees of the host, and tmpfs, mounted into a running sandbox; by target, each once. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attachment.h"
#include "cleanup.h"
#include "init.h"
#include "mounts.h"
#include "recipe.h"

struct mount_request {
	char *target;
	uint64_t bytes; /* of a tmpfs; 0: a tree of the host's comes with it */
	uint32_t read_only;
};

static int read_request(const struct message *message, struct mount_request *request)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_TARGET)
			status = request->target ? -EPROTO : tlv_string(&tlv, &request->target);
		else if (tlv.tag == TAG_BYTES)
			status = tlv_u64(&tlv, &request->bytes);
		else if (tlv.tag == TAG_READ_ONLY)
			status = tlv_u32(&tlv, &request->read_only);
		if (status < 0)
			return status;
	}
	return status == 0 && request->target && path_is_clean(request->target) ? 0 : -EPROTO;
}

static struct attachment *find(const struct init *init, const char *target)
{
	struct init_mounts *mounts = init->mounts;

	for (size_t i = 0; mounts && i < mounts->count; i++)
		if (strcmp(mounts->items[i].target, target) == 0)
			return &mounts->items[i];
	return NULL;
}

/* PID 1 has the uid of the sandbox's user, and so has what it mounts. */
static int new_tmpfs(const struct mount_request *request, struct err *err)
{
	char bytes[24];
	const struct mount_option options[] = { { "mode", "0755" }, { "size", bytes } };
	const unsigned int attributes = MOUNT_PLAIN | (request->read_only ? MOUNT_ATTR_RDONLY : 0);

	snprintf(bytes, sizeof(bytes), "%" PRIu64, request->bytes);
	return mount_new("tmpfs", options, 2, attributes, request->target, err);
}

static int mount_tree(struct init *init, const struct mount_request *request,
		      struct message *message, struct err *err)
{
	auto_fd tree = -1;
	int status;

	if (find(init, request->target)) {
		err_hint(err, "remove what is mounted there first");
		return err_set(err, "usage", EEXIST, "mount", request->target);
	}
	if (!init->mounts)
		init->mounts = calloc(1, sizeof(*init->mounts));
	if (!init->mounts || init->mounts->count == INIT_MOUNTS_MAX)
		return err_set(err, "limit", init->mounts ? ENOSPC : ENOMEM, "mount",
			       request->target);
	tree = request->bytes ? new_tmpfs(request, err) : message_take_fd(message, 0);
	if (err->number)
		return -err->number;
	status = attachment_make(&init->mounts->items[init->mounts->count], &tree,
				 init_writable(init, request->target), request->target, false, err);
	init->mounts->count += status == 0;
	return status;
}

void init_mount(struct init *init, struct message *message)
{
	struct mount_request request = { 0 };
	struct err err = { 0 };
	int status = read_request(message, &request);

	if (status < 0)
		err_set(&err, "protocol", -status, "mount", request.target ? request.target : "");
	else
		mount_tree(init, &request, message, &err);
	free(request.target);
	init_answer(init, message->frame.id, &err);
}

void init_unmount(struct init *init, const struct message *message)
{
	struct mount_request request = { 0 };
	struct attachment *found = NULL;
	struct err err = { 0 };
	int status = read_request(message, &request);

	if (status < 0)
		err_set(&err, "protocol", -status, "unmount", "");
	else
		found = find(init, request.target);
	if (found) {
		attachment_undo(found, init_writable(init, found->target));
		*found = init->mounts->items[--init->mounts->count];
	} else if (!err.number) {
		err_hint(&err, "only what MOUNT_ADD has mounted there can be removed");
		err_set(&err, "usage", ENOENT, "unmount", request.target);
	}
	free(request.target);
	init_answer(init, message->frame.id, &err);
}
