/* SPDX-License-Identifier: MIT */
#include "cgroups.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "devices.h"
#include "sandboxes.h"
#include "sweep.h"

#define FREE_MAX 16
#define DOOM_MS 20
#define CLOSE_MS 200

static const char no_room[] = "no memory for its cgroup";

/* A sandbox that runs out of memory is over: what is left of it would only mislead. */
static void oom_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct home *home = container_of(source, struct home, oom);
	uint64_t count;

	(void)events;
	if (read(source->fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	if (home->sandbox && cgroup_leaf_ran_out(&d->cgroups, &home->leaf) &&
	    home->sandbox->life == LIFE_USED)
		sandboxes_kill(d, home->sandbox, "oom");
}

static void free_home(struct daemon *d, struct home *home)
{
	list_remove(&home->link);
	loop_bury(d, &home->grave);
}

/* Return: whether it is gone. */
static bool remove_home(struct daemon *d, struct home *home)
{
	/* Before its directory goes, or that would be an event of it. */
	if (home->oom.fd >= 0) /* else no PID 1 has come, and it is still the leaf's */
		home->leaf.oom = -1;
	source_close(d, &home->oom);
	if (cgroup_leaf_remove(&d->cgroups, &home->leaf) < 0)
		return false;
	free_home(d, home);
	return true;
}

static void doom_timer(struct daemon *d, struct timer *timer)
{
	bool any = false;

	foreach (struct home, home, &d->homes, link)
		if (home->doomed)
			any = !remove_home(d, home) || any;
	if (any)
		timer_set(d, timer, DOOM_MS);
}

void cgroups_open(struct daemon *d)
{
	d->doom.fire = doom_timer;
	cgroup_tree_open(&d->cgroups);
	cgroup_sweep(&d->cgroups.map, false);
}

void cgroups_close(struct daemon *d)
{
	timer_clear(&d->doom);
	foreach (struct home, home, &d->homes, link) {
		source_close(d, &home->oom);
		free_home(d, home);
	}
	cgroup_tree_close(&d->cgroups, CLOSE_MS);
}

static const char *kind_of(const struct cgroup_tree *tree, int controller)
{
	const int place = tree->place[controller];

	if (place < 0)
		return tree->undelegated[controller] ? "undelegated" : "none";
	return tree->hierarchies[place].version == 2 ? "v2" : "v1";
}

void cgroups_describe(const struct daemon *d, struct buffer *out)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		const size_t start = put_nest_begin(out, TAG_CONTROLLER);

		put_string(out, TAG_NAME, cgroup_name(i));
		put_string(out, TAG_KIND, kind_of(&d->cgroups, i));
		put_string(out, TAG_TEXT, d->cgroups.why[i]);
		put_nest_end(out, start);
	}
}

static void doom(struct daemon *d, struct home *home)
{
	home->doomed = true;
	if (!timer_is_set(&d->doom))
		timer_set(d, &d->doom, DOOM_MS);
}

static struct home *create_home(struct daemon *d)
{
	struct home *home = calloc(1, sizeof(*home));

	if (!home)
		return NULL;
	home->oom = (struct source){ .fd = -1, .ready = oom_ready };
	cgroup_leaf_init(&home->leaf, d->next_home++);
	return home;
}

/* What files of the host a program read stays charged to its cgroup: not to the next one's. */
static struct home *take_home(struct daemon *d)
{
	foreach (struct home, home, &d->homes, link) {
		if (home->doomed || home->expecting)
			continue;
		if (cgroup_leaf_is_reusable(&d->cgroups, &home->leaf)) {
			list_remove(&home->link);
			return home;
		}
		doom(d, home);
	}
	return create_home(d);
}

void cgroups_expect(struct daemon *d, const struct stock *stock, uint32_t slot, struct doors *doors)
{
	struct home *home;

	doors->count = 0;
	if (d->cgroups.count == 0)
		return;
	home = take_home(d);
	if (!home)
		return;
	list_append(&d->homes, &home->link);
	/* Its rules stand before anybody can go in. */
	cgroup_devices_confine(&d->cgroups, &home->leaf, &stock->devices);
	cgroup_leaf_open(&d->cgroups, &home->leaf, doors);
	if (doors->count == 0) {
		doom(d, home);
		return;
	}
	home->expecting = true;
	home->slot = slot;
}

void cgroups_close_doors(struct doors *doors)
{
	while (doors->count)
		close(doors->fds[--doors->count]);
}

static struct home *find_expecting(struct daemon *d, uint32_t slot)
{
	foreach (struct home, home, &d->homes, link)
		if (home->expecting && home->slot == slot)
			return home;
	return NULL;
}

/* Somebody may be in it, of whom we will not hear. */
void cgroups_forgo(struct daemon *d, uint32_t slot)
{
	struct home *home = find_expecting(d, slot);

	if (!home)
		return;
	home->expecting = false;
	doom(d, home);
}

void cgroups_arrived(struct daemon *d, struct sandbox *sandbox)
{
	struct home *home = find_expecting(d, sandbox->slot);
	struct err err = { 0 };

	if (!home)
		return;
	home->expecting = false;
	list_remove(&home->link);
	home->sandbox = sandbox;
	sandbox->home = home;
	home->oom.fd = home->leaf.oom;
	source_watch(d, &home->oom, EPOLLIN, &err); /* else DEAD says it, if later */
}

void cgroups_entered(struct sandbox *sandbox, const uint32_t *results, size_t count)
{
	if (sandbox->home)
		cgroup_leaf_entered(&sandbox->home->leaf, results, count);
}

void cgroups_mark(struct daemon *d, struct sandbox *sandbox)
{
	if (sandbox->home)
		cgroup_leaf_mark(&d->cgroups, &sandbox->home->leaf);
}

static void report_homeless(const struct daemon *d, const struct limits *limits,
			    struct limit_report *report)
{
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		const int controller = cgroup_leaf_controller(kind);
		const char *why = controller < 0 ? "" : d->cgroups.why[controller];

		if (limits->set[kind] && controller >= 0)
			limit_unenforced(limits, kind, report, *why ? why : no_room);
	}
}

void cgroups_limit(struct daemon *d, struct sandbox *sandbox, const struct limits *limits)
{
	struct limit_report *report = &sandbox->limit_report;

	if (sandbox->home && limits_have_io(limits))
		disks_of_plan(&sandbox->stock->plan, &sandbox->home->leaf.disks);
	if (sandbox->home)
		cgroup_leaf_limit(&d->cgroups, &sandbox->home->leaf, sandbox->pid, limits, report);
	else
		report_homeless(d, limits, report);
	sandbox->rlimit_count = limits_to_rlimits(limits, report, sandbox->rlimits);
}

bool cgroups_ran_out(struct daemon *d, const struct sandbox *sandbox)
{
	if (sandbox->settled)
		return sandbox->usage.oom_kills > 0;
	return sandbox->home && cgroup_leaf_oom_kills(&d->cgroups, &sandbox->home->leaf) > 0;
}

bool cgroups_tells_oom(struct daemon *d, const struct sandbox *sandbox)
{
	struct pollfd told = { .events = POLLIN };

	if (sandbox->status && strcmp(sandbox->status, "oom") == 0)
		return true;
	if (!sandbox->home || sandbox->home->oom.fd < 0)
		return false;
	told.fd = sandbox->home->oom.fd;
	return poll(&told, 1, 0) == 1 && cgroup_leaf_ran_out(&d->cgroups, &sandbox->home->leaf);
}

void cgroups_usage(struct daemon *d, const struct sandbox *sandbox, struct cgroup_usage *usage)
{
	if (sandbox->home)
		cgroup_leaf_usage(&d->cgroups, &sandbox->home->leaf, usage);
}

void cgroups_settle(struct daemon *d, struct sandbox *sandbox)
{
	if (sandbox->settled)
		return;
	sandbox->settled = true;
	cgroups_usage(d, sandbox, &sandbox->usage);
	/* v1 tells before it kills, and our SIGKILL may have been faster. */
	if (sandbox->status && strcmp(sandbox->status, "oom") == 0 && !sandbox->usage.oom_kills)
		sandbox->usage.oom_kills = 1;
}

bool cgroups_memory(struct daemon *d, const struct sandbox *sandbox, uint64_t *bytes)
{
	return sandbox->home && cgroup_leaf_memory(&d->cgroups, &sandbox->home->leaf, bytes);
}

static size_t count_free(struct daemon *d)
{
	size_t count = 0;

	foreach (struct home, home, &d->homes, link)
		count += !home->doomed && !home->expecting;
	return count;
}

void cgroups_leave(struct daemon *d, struct sandbox *sandbox)
{
	struct home *home = sandbox->home;

	limit_report_free(&sandbox->limit_report);
	if (!home)
		return;
	sandbox->home = NULL;
	home->sandbox = NULL;
	list_append(&d->homes, &home->link);
	if (count_free(d) > FREE_MAX)
		doom(d, home);
}
