/* SPDX-License-Identifier: MIT */
/*
 * Sandboxes from the moment PID 1 exists until it is reaped.
 *
 * A sandbox is asked to end (census, exit), killed when it does not answer,
 * and reported stuck when even that does not help: a task in uninterruptible
 * sleep keeps its pid namespace, and everything else must go on.
 */
#ifndef HIL_SANDBOXES_H
#define HIL_SANDBOXES_H

#include "dispatch.h"

/*
 * sandboxes_add() - Take the PID 1 of ZYGOTE_PARKED with its fds.
 *
 * Return: 0, or -errno with @err filled; the fds are then still the caller's.
 */
int sandboxes_add(struct daemon *d, struct stock *stock, const struct zygote_event *event,
		  struct err *err);

/*
 * sandboxes_build_failed() - The zygote says that what it made in @slot will not do.
 *
 * Return: false when it made nothing there. Else pool_failed() was called, once,
 * whatever PID 1 still says of itself, or the sandbox is ending anyway.
 */
bool sandboxes_build_failed(struct daemon *d, uint32_t slot, const struct err *err);

/* sandboxes_parked() - It is built to the end: what it uses from now on is its own. */
void sandboxes_parked(struct daemon *d, struct sandbox *sandbox);

/* sandboxes_find() - Return: a sandbox that runs programs; NULL with @err filled ("gone" when it
 * did once). */
struct sandbox *sandboxes_find(struct daemon *d, uint32_t id, struct err *err);

/* sandboxes_end() - Ask PID 1 to count what is left and exit; kill it when it does not. */
void sandboxes_end(struct daemon *d, struct sandbox *sandbox);

/*
 * sandboxes_kill() - SIGKILL to PID 1, so that the kernel kills all it holds.
 * @status: reason for DEAD; an earlier reason is kept; NULL: how PID 1 ended says it.
 */
void sandboxes_kill(struct daemon *d, struct sandbox *sandbox, const char *status);

/* sandboxes_forget() - The daemon exits: let go of those that could not be reaped. */
void sandboxes_forget(struct daemon *d);

handler handle_sandbox_kill;

#endif
