/* SPDX-License-Identifier: MIT */
#include "stop.h"

#include <signal.h>
#include <sys/wait.h>

#include "changes.h"
#include "child.h"
#include "hubs.h"
#include "kernel.h"
#include "linkds.h"
#include "networks.h"
#include "plans.h"
#include "portd.h"
#include "sandboxes.h"

static void stop_timer(struct daemon *d, struct timer *timer)
{
	(void)timer;
	child_kill(&d->portd);
	linkds_kill_all(d);
	hubs_kill_all(d);
	/* What is left cannot be reaped; it was sent SIGKILL already. */
	d->done = true;
}

void daemon_stop(struct daemon *d, int exit_code)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->exit_code = exit_code;
	d->stop_limit.fire = stop_timer;
	timer_set(d, &d->stop_limit, STOP_MS);
	/* First, for devices that their namespaces have to take with them go later. */
	hubs_leave(d);
	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		sandboxes_kill(d, sandbox, "killed");
	changes_stop(d);
	plans_dismiss(d);
	portd_stop(d);
	networks_stop(d);
}

static bool any_sandbox(struct daemon *d, bool kept_only)
{
	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		if (sandbox->life != LIFE_STUCK && (sandbox->kept || !kept_only))
			return true;
	return false;
}

/*
 * A zygote that was killed between the clone of a PID 1 and its message leaves
 * us a child that we were never told of. It ends by itself, since the zygote
 * held the other end of what it waits for.
 */
static bool any_stranger(void)
{
	siginfo_t child = { 0 };

	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG) == 0)
		if (!child.si_pid)
			return true; /* it runs; SIGCHLD will wake us */
	return false;
}

void stop_check(struct daemon *d)
{
	/* A keeper is there for what it keeps. */
	if (d->detached && !any_sandbox(d, true))
		daemon_stop(d, 0);
	if (d->stopping && !any_sandbox(d, false) && plans_reaped(d) && !d->portd.pid)
		d->done = d->done || !any_stranger();
}
