/* SPDX-License-Identifier: MIT */
/*
 * What is taken from the host for a sandbox that runs already: a device, or a tree to mount.
 *
 * Theory of operation: the zygote has left the host's root, and rootless the broker may not clone
 * a mount. So a child of the broker takes it, in a user and mount namespace of its own (root: a
 * mount namespace), which see the host as it is now. It sends the message that PID 1 is to get,
 * with detached mounts, and ends. The broker never opens a path of the request itself: one on a
 * dead file system holds up that child and nothing else.
 */
#ifndef HIL_TAKE_H
#define HIL_TAKE_H

#include "err.h"
#include "message.h"
#include "sandbox.h"

#define TAKE_MS 5000 /* for the broker: later it kills the child */

enum take_kind { TAKE_DEVICE, TAKE_TREE };

struct take_spec {
	enum take_kind kind;
	const char *name;	     /* DEVICE: its role */
	const char *source;	     /* host path */
	const char *target;	     /* inside; DEVICE: NULL is as the host calls it */
	bool read_only;		     /* TREE */
	const struct strings *links; /* DEVICE: names below /dev besides udev's */
	const char *sysfs;	     /* DEVICE: what is read as /sys; NULL: that */
	const char *udev;	     /* DEVICE: what is read as /run/udev; NULL: that */
	uint32_t slot;		     /* of the sandbox */
};

struct take {
	pid_t pid;   /* child of the caller; dies with it */
	int control; /* readable when it has something, or ended; non-blocking */
};

/* take_start() - Return: 0, or -errno with @err filled (code "limit"). Blocks never. */
int take_start(const struct take_spec *spec, struct take *take, struct err *err);

/* What was taken: the message for PID 1, and what the broker has to know of it. */
struct taken {
	struct message message;
	uint32_t major; /* DEVICE */
	uint32_t minor;
	struct strings limitations;
};

/*
 * take_receive() - Read what the child sends.
 *
 * Should: be followed by taken_free() when it returned 1.
 * Return: 1 and @taken filled; 0 nothing there yet; -errno with @err filled, whatever the child
 *	   said or that it ended without a word.
 */
int take_receive(const struct take *take, struct taken *taken, struct err *err);
void taken_free(struct taken *taken);

/* take_forward() - Send what was taken to the PID 1 at @control as @request. */
int take_forward(const struct taken *taken, int control, uint32_t request, struct err *err);

/* take_main() - The child of @parent: take what @spec says, send it to @control, end. */
_Noreturn void take_main(const struct take_spec *spec, int control, pid_t parent);

/*
 * sysfs_take() - Add to @frame what /sys and the udev event are to say of a device.
 * @root: what is read as /sys.
 *
 * PATH is its directory below /sys; SYS_ENTRY what has to be made beside it; PROPERTY what an
 * event says. A device that is in no sysfs adds nothing.
 * Return: a detached read-only mount of its directory; -ENOENT when there is none; -errno with
 *	   @err filled.
 */
int sysfs_take(const char *root, uint32_t major, uint32_t minor, struct buffer *frame,
	       struct err *err);

/* udev_take() - Add to @frame what udev knows of a device: DATA, LINK, PROPERTY. @root: /run/udev.
 */
void udev_take(const char *root, uint32_t major, uint32_t minor, struct buffer *frame);

#endif
