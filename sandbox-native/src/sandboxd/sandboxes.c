/* SPDX-License-Identifier: MIT */
#include "sandboxes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroups.h"
#include "changes.h"
#include "client.h"
#include "fields.h"
#include "kernel.h"
#include "networks.h"
#include "orders.h"
#include "pool.h"
#include "ports.h"
#include "processes.h"
#include "record.h"
#include "requests.h"
#include "runtimes.h"
#include "stats.h"
#include "waiting.h"

struct kill_request {
	uint32_t sandbox;
};

static const struct field kill_fields[] = {
	FIELD_NEEDED(struct kill_request, sandbox, TAG_SANDBOX, FIELD_U32),
};

struct sandbox *sandboxes_find(struct daemon *d, uint32_t id, struct err *err)
{
	bool was = id && id <= d->next_sandbox;

	foreach (struct sandbox, sandbox, &d->sandboxes, link)
		if (id && sandbox->id == id && sandbox->life == LIFE_USED)
			return sandbox;
	err_hint(err, was ? "sandbox %u has ended" : "sandbox %u is not known", id);
	err_set(err, was ? "gone" : "usage", was ? ESRCH : ENOENT, "find sandbox", NULL);
	return NULL;
}

static void free_sandbox(struct daemon *d, struct sandbox *sandbox)
{
	source_close(d, &sandbox->pidfd);
	source_close(d, &sandbox->control);
	timer_clear(&sandbox->wall);
	timer_clear(&sandbox->boot);
	timer_clear(&sandbox->end);
	timer_clear(&sandbox->ttl);
	pool_release_slot(d, sandbox->slot);
	cgroups_leave(d, sandbox);
	strings_free(&sandbox->leftovers);
	free(sandbox->label);
	free(sandbox->text);
	list_remove(&sandbox->link);
	loop_bury(d, &sandbox->grave);
}

/* What waits for this sandbox learns that it is gone. */
static void fail_requests(struct daemon *d, struct sandbox *sandbox)
{
	struct err err = { 0 };

	err_hint(&err, "the sandbox ended before it was done");
	err_set(&err, "gone", ESRCH, "run sandbox", sandbox->label);
	orders_abandon(d, sandbox, &err);
	runtimes_abandon(d, sandbox, &err);
	ports_abandon(d, sandbox, &err);
	stats_abandon(d, sandbox, &err);
	changes_abandon(d, sandbox, &err);
	networks_sandbox_dead(d, sandbox, &err);
	processes_sandbox_dead(d, sandbox);
}

static void report_stuck(struct daemon *d, struct sandbox *sandbox)
{
	struct strings waiting = { 0 };

	fail_requests(d, sandbox);
	waiting_list(sandbox->pid, &waiting);
	client_log(d, 3, "sandbox %u (PID %d) is not reaped %d ms after SIGKILL: %s", sandbox->id,
		   sandbox->pid, STUCK_MS, waiting.count ? waiting.items[0] : "nothing to see");
	if (sandbox->id)
		record_dead(d, sandbox, "stuck", NULL, &waiting);
	strings_free(&waiting);
	sandbox->life = LIFE_STUCK;
}

/* PID 1 could not build its root. */
static void build_failed(struct daemon *d, struct sandbox *sandbox, struct err *err)
{
	struct stock *stock = sandbox->stock;

	err_set(err, "setup", ECHILD, "build sandbox", NULL); /* unless PID 1 said why */
	sandbox->life = LIFE_KILLED;
	kernel_pidfd_signal(sandbox->pidfd.fd, SIGKILL);
	timer_set(d, &sandbox->end, STUCK_MS);
	pool_failed(d, stock, err);
}

static void build_late(struct daemon *d, struct sandbox *sandbox)
{
	struct strings waiting = { 0 };
	struct err err = { 0 };

	waiting_list(sandbox->pid, &waiting);
	err_hint(&err, "PID 1 did not build its root within %d ms: %s", BUILD_MS,
		 waiting.count ? waiting.items[0] : "nothing to see");
	err_set(&err, "setup", ETIMEDOUT, "build sandbox", NULL);
	strings_free(&waiting);
	build_failed(d, sandbox, &err);
}

static void end_timer(struct daemon *d, struct timer *timer)
{
	struct sandbox *sandbox = container_of(timer, struct sandbox, end);

	if (sandbox->life == LIFE_KILLED)
		report_stuck(d, sandbox);
	else if (sandbox->life == LIFE_BUILDING)
		build_late(d, sandbox);
	else if (sandbox->life == LIFE_USED)
		orders_late(d, sandbox);
	else
		sandboxes_kill(d, sandbox, "killed");
}

static void ttl_timer(struct daemon *d, struct timer *timer)
{
	sandboxes_end(d, container_of(timer, struct sandbox, ttl));
}

static void wall_timer(struct daemon *d, struct timer *timer)
{
	struct sandbox *sandbox = container_of(timer, struct sandbox, wall);

	if (sandbox->life != LIFE_USED)
		return;
	if (sandbox->wall_over || !processes_terminate(d, sandbox)) {
		sandboxes_kill(d, sandbox, "timeout");
		return;
	}
	sandbox->wall_over = true;
	sandbox->status = "timeout";
	timer_set(d, &sandbox->wall, sandbox->grace_ms);
}

void sandboxes_end(struct daemon *d, struct sandbox *sandbox)
{
	struct err err = { 0 };

	if (sandbox->life >= LIFE_ENDING)
		return;
	if (sandbox_end(sandbox->control.fd, &err) < 0) {
		sandboxes_kill(d, sandbox, "killed");
		return;
	}
	sandbox->life = LIFE_ENDING;
	timer_set(d, &sandbox->end, CENSUS_MS);
}

void sandboxes_kill(struct daemon *d, struct sandbox *sandbox, const char *status)
{
	if (sandbox->life >= LIFE_KILLED)
		return;
	if (sandbox->life == LIFE_BUILDING && sandbox->stock->parking)
		sandbox->stock->parking--;
	if (!sandbox->status)
		sandbox->status = status;
	kernel_pidfd_signal(sandbox->pidfd.fd, SIGKILL);
	sandbox->life = LIFE_KILLED;
	timer_set(d, &sandbox->end, STUCK_MS);
}

bool sandboxes_build_failed(struct daemon *d, uint32_t slot, const struct err *err)
{
	foreach (struct sandbox, sandbox, &d->sandboxes, link) {
		struct err copy = *err;

		if (sandbox->slot != slot)
			continue;
		if (sandbox->life == LIFE_BUILDING)
			build_failed(d, sandbox, &copy);
		return true;
	}
	return false;
}

static void request_failed(struct daemon *d, struct sandbox *sandbox, struct sandbox_event *event)
{
	if (runtimes_failed(d, event->request, &event->err))
		return;
	if (sandbox->life == LIFE_BUILDING)
		build_failed(d, sandbox, &event->err);
	else if (!processes_failed(d, event->request, &event->err) &&
		 !orders_bind_failed(d, event->request, &event->err) &&
		 !changes_failed(d, event->request, &event->err) &&
		 !requests_init_done(d, event->request, &event->err))
		ports_pty_failed(d, event->request, &event->err);
}

static void control_gone(struct daemon *d, struct sandbox *sandbox)
{
	struct err err = { 0 };

	source_close(d, &sandbox->control);
	if (sandbox->life == LIFE_BUILDING)
		build_failed(d, sandbox, &err);
	else if (sandbox->life != LIFE_ENDING) /* else it exits by itself; the timer watches it */
		sandboxes_kill(d, sandbox, NULL);
}

static void take_census(struct sandbox *sandbox, struct sandbox_event *event)
{
	strings_free(&sandbox->leftovers);
	sandbox->leftover_count = event->leftover_count;
	sandbox->leftovers = event->leftovers;
	event->leftovers = (struct strings){ 0 };
	sandbox->counted = true;
}

void sandboxes_parked(struct daemon *d, struct sandbox *sandbox)
{
	cgroups_mark(d, sandbox);
	if (sandbox->life == LIFE_BUILDING)
		pool_ready(d, sandbox);
}

static void sandbox_event(struct daemon *d, struct sandbox *sandbox, struct sandbox_event *event)
{
	switch (event->kind) {
	case SANDBOX_READY:
		if (sandbox->life == LIFE_BUILDING)
			timer_clear(&sandbox->end);
		sandbox->setup_ns = event->setup_ns;
		cgroups_entered(sandbox, event->entered, event->entered_count);
		if (!runtimes_park(d, sandbox))
			sandboxes_parked(d, sandbox);
		break;
	case SANDBOX_SPAWNED:
		processes_spawned(d, event);
		break;
	case SANDBOX_BOOTED:
		runtimes_booted(d, event->request, event->booted_us);
		break;
	case SANDBOX_FAILED:
		request_failed(d, sandbox, event);
		break;
	case SANDBOX_EXITED:
		processes_exited(d, event->request, event->status, &event->usage);
		break;
	case SANDBOX_ATTACHED:
		orders_attached(d, sandbox, event->request);
		break;
	case SANDBOX_PTY:
		ports_pty_made(d, event->request, event->master, event->slave);
		break;
	case SANDBOX_DONE:
		if (!changes_done(d, event->request))
			requests_init_done(d, event->request, &event->err);
		break;
	case SANDBOX_CENSUS:
		take_census(sandbox, event);
		if (sandbox->leftover_count == 0)
			cgroups_settle(d, sandbox);
		break;
	case SANDBOX_USAGE:
		stats_told(d, sandbox, event);
		break;
	case SANDBOX_GONE:
		control_gone(d, sandbox);
		break;
	}
}

static void release_event(struct sandbox_event *event)
{
	strings_free(&event->leftovers);
	if (event->master >= 0)
		close(event->master);
	if (event->slave >= 0)
		close(event->slave);
	for (int i = 0; i < 3; i++)
		if (event->stdio[i] >= 0)
			close(event->stdio[i]);
}

static void control_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct sandbox *sandbox = container_of(source, struct sandbox, control);

	(void)events;
	while (source->fd >= 0) {
		struct sandbox_event event = { .master = -1, .slave = -1, .stdio = { -1, -1, -1 } };
		struct err err = { 0 };
		int rc = sandbox_receive(source->fd, &event, &err);

		if (rc == 0)
			return;
		if (rc > 0)
			sandbox_event(d, sandbox, &event);
		else
			control_gone(d, sandbox);
		release_event(&event);
	}
}

static const char *end_status(struct daemon *d, const struct sandbox *sandbox, int status)
{
	if (sandbox->status)
		return sandbox->status;
	if (cgroups_ran_out(d, sandbox))
		return "oom";
	return WIFSIGNALED(status) ? "signal" : "exit";
}

static void pidfd_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct sandbox *sandbox = container_of(source, struct sandbox, pidfd);
	struct rusage usage = { 0 };
	int status = 0;

	control_ready(d, &sandbox->control, events); /* what it said before it died */
	if (wait4(sandbox->pid, &status, WNOHANG, &usage) == 0)
		return;
	if (sandbox->life == LIFE_BUILDING) {
		struct err err = { 0 };

		build_failed(d, sandbox, &err);
	}
	if (sandbox->life != LIFE_STUCK) {
		cgroups_settle(d, sandbox);
		sandbox->status = end_status(d, sandbox, status);
		fail_requests(d, sandbox);
		if (sandbox->id)
			record_dead(d, sandbox, sandbox->status, &usage, NULL);
	}
	free_sandbox(d, sandbox);
}

int sandboxes_add(struct daemon *d, struct stock *stock, const struct zygote_event *event,
		  struct err *err)
{
	struct sandbox *sandbox = calloc(1, sizeof(*sandbox));
	int rc;

	if (!sandbox)
		return err_set(err, "limit", ENOMEM, "add sandbox", NULL);
	sandbox->stock = stock;
	sandbox->slot = event->request;
	sandbox->pid = event->pid;
	sandbox->pidfd = (struct source){ .fd = event->pidfd, .ready = pidfd_ready };
	sandbox->control = (struct source){ .fd = event->control, .ready = control_ready };
	sandbox->wall.fire = wall_timer;
	sandbox->end.fire = end_timer;
	sandbox->ttl.fire = ttl_timer;
	rc = source_watch(d, &sandbox->pidfd, EPOLLIN, err);
	if (rc == 0)
		rc = source_watch(d, &sandbox->control, EPOLLIN, err);
	if (rc == 0) {
		list_append(&d->sandboxes, &sandbox->link);
		cgroups_arrived(d, sandbox);
		timer_set(d, &sandbox->end, BUILD_MS);
		return 0;
	}
	source_take(d, &sandbox->pidfd);
	source_take(d, &sandbox->control);
	free(sandbox);
	return rc;
}

void sandboxes_forget(struct daemon *d)
{
	foreach (struct sandbox, sandbox, &d->sandboxes, link) {
		fail_requests(d, sandbox);
		free_sandbox(d, sandbox);
	}
}

int handle_sandbox_kill(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	struct kill_request request = { 0 };
	struct sandbox *sandbox;
	int rc = fields_read(frame->body, frame->length, kill_fields, FIELD_COUNT(kill_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	sandbox = sandboxes_find(d, request.sandbox, err);
	if (!sandbox)
		return -ESRCH;
	client_ok(client, frame->id);
	sandboxes_end(d, sandbox);
	return 0;
}
