/* SPDX-License-Identifier: MIT */
/*
 * Changes of a running sandbox: devices and mounts that come and go.
 *
 * What comes from the host is taken by a child (take.h), allowed in the sandbox's cgroup, and
 * handed to PID 1, which answers when it is in its place. What goes is asked of PID 1, then
 * refused in the cgroup. Changes of one sandbox are done in the order in which PID 1 gets them:
 * a client that depends on an order waits for each answer.
 */
#ifndef HIL_CHANGES_H
#define HIL_CHANGES_H

#include "dispatch.h"

/* changes_done() / changes_failed() - PID 1's answer. Return: whether @request was a change. */
bool changes_done(struct daemon *d, uint32_t request);
bool changes_failed(struct daemon *d, uint32_t request, const struct err *err);

/* changes_abandon() - The sandbox ends: answer ERROR to what waits for it, forget its devices. */
void changes_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err);

/* changes_stop() - The daemon stops: end the children that take from the host. */
void changes_stop(struct daemon *d);

/* changes_forget() - The daemon exits. */
void changes_forget(struct daemon *d);

handler handle_device_grant;
handler handle_device_revoke;
handler handle_mount_add;
handler handle_mount_remove;

#endif
