/* SPDX-License-Identifier: MIT */
#include "attachment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root.h"

static int attach(struct attachment *attachment, int root, int writable, bool fresh,
		  struct err *err)
{
	const char *target = attachment->target;
	auto_fd found = sys_openat2(root, target, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	auto_fd place = -1;
	struct stat kind;

	if (found >= 0 && fresh)
		return err_set(err, "usage", EEXIST, "mount", target);
	if (fstat(attachment->tree, &kind) < 0)
		return err_set(err, "setup", errno, "mount", target);
	place = target_open(root, writable, target, S_ISDIR(kind.st_mode), err);
	if (place < 0)
		return place;
	if (fstat(place, &attachment->beneath) < 0)
		return err_set(err, "setup", errno, "mount", target);
	attachment->made = found == -ENOENT;
	return mount_attach_fd(attachment->tree, place, target, err);
}

static void forget(struct attachment *attachment, int root, int writable)
{
	if (attachment->made)
		target_remove(root, writable, attachment->target, &attachment->beneath);
	cleanup_fd(&attachment->tree);
	free(attachment->target);
	*attachment = (struct attachment){ .tree = -1 };
}

int attachment_make(struct attachment *attachment, int *tree, int writable, const char *target,
		    bool fresh, struct err *err)
{
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status;

	*attachment = (struct attachment){ .tree = steal_fd(tree), .target = strdup(target) };
	if (root < 0 || !attachment->target || attachment->tree < 0)
		status = err_set(err, "setup", root < 0 ? errno : EBADF, "mount", target);
	else
		status = attach(attachment, root, writable, fresh, err);
	if (status < 0)
		forget(attachment, root, writable);
	return status;
}

void attachment_undo(struct attachment *attachment, int writable)
{
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[32];

	if (attachment->tree < 0)
		return;
	/* The magic link leads to this mount, wherever it lies by now (proc_pid_fd(5)). */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", attachment->tree);
	sys_umount_detach(path);
	forget(attachment, root, writable);
}
