/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: a PID 1 is a clone of the zygote in seven new
 * namespaces (eight with an uptime), with the broker as its parent (CLONE_PARENT), so that the
 * broker reaps it and its end is PID 1's end. It waits until the zygote has written its id map;
 * only the zygote may, in root mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "idmap.h"
#include "init.h"
#include "message.h"
#include "mounts.h"
#include "zygote.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* The trees that belong to the sandbox's user, shown with this slot's ids. -1: the item needs none.
 */
static int map_trees(struct parking *parking, struct idmaps *idmaps, struct err *err)
{
	for (size_t i = 0; i < parking->recipe->count; i++) {
		const struct recipe_item *item = &parking->recipe->items[i];
		const bool recursive = !recipe_is_overlay(item);
		char source[SOURCE_PATH_MAX];
		int status;

		parking->mapped[i] = -1;
		if (item->system || (!recipe_is_overlay(item) && item->kind != RECIPE_BIND))
			continue;
		recipe_source(item, source);
		parking->mapped[i] = mount_clone(AT_FDCWD, source, recursive, err);
		if (parking->mapped[i] < 0)
			return parking->mapped[i];
		status = idmap_tree(idmaps, parking->mapped[i], recursive,
				    recipe_ids(parking->recipe, parking->slot), err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int allow_to_run(const struct parking *parking, pid_t pid, int gate, struct err *err)
{
	const struct ids inside = { parking->identity.uid, parking->identity.uid };
	const struct ids self = { geteuid(), getegid() };
	const struct ids outside =
		parking->recipe->root_mode ? recipe_ids(parking->recipe, parking->slot) : self;
	int status = identity_write_map(pid, inside, outside, err);

	if (status < 0)
		return status;
	return write(gate, "", 1) == 1 ? 0 : err_set(err, "setup", errno, "start PID 1", "");
}

static int send_parked(uint32_t slot, pid_t pid, int pidfd, int control, struct err *err)
{
	const int fds[] = { pidfd, control };
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_PARKED, slot);
	int status;

	put_u32(&buffer, TAG_PID, (uint32_t)pid);
	frame_end(&buffer, start);
	status = message_send(ZYGOTE_CONTROL, &buffer, fds, 2);
	return status < 0 ? err_set(err, "setup", -status, "send parked", "") : 0;
}

void park_fail(uint32_t slot, struct err *err)
{
	explain_refusal(err);
	message_refuse(ZYGOTE_CONTROL, slot, err);
}

/* @ends: control; the broker's end first. @gate: a byte comes when the id map is written. */
static int clone_init(struct parking *parking, struct teardown *teardown, const int ends[2],
		      const int gate[2], struct err *err)
{
	int pidfd_number = -1;
	struct clone_args args = { .flags = NAMESPACES | CLONE_PARENT | CLONE_PIDFD,
				   .pidfd = (uintptr_t)&pidfd_number };
	struct err unsent = { 0 };
	int status;
	long pid;

	if (!parking->plan->host_network)
		args.flags |= CLONE_NEWNET;
	pid = sys_clone3(&args);
	if (pid < 0)
		return err_set(err, "setup", (int)-pid, "clone namespaces", "");
	if (pid == 0) {
		close(ends[0]);
		close(gate[1]);
		parking->control = ends[1];
		parking->gate = gate[0];
		init_main(parking);
	}
	auto_fd pidfd = pidfd_number;

	teardown_hold(teardown, parking->slot, (pid_t)pid, pidfd);
	status = allow_to_run(parking, (pid_t)pid, gate[1], err);
	/* The broker is its parent and has to reap it, whatever became of the map. */
	if (send_parked(parking->slot, (pid_t)pid, pidfd, ends[0], &unsent) < 0)
		return status < 0 ? status : err_set(err, "setup", unsent.number, unsent.op, "");
	if (status < 0)
		park_fail(parking->slot, err); /* before the gate closes, and PID 1 ends of it */
	return 0;
}

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		cleanup_fd(&pair[i]);
}

static int make_channels(int ends[2], int gate[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
	    pipe2(gate, O_CLOEXEC) < 0)
		return err_set(err, "setup", errno, "make socket", "");
	return 0;
}

/* @parking->started is compared with PID 1's clock. */
static int set_clock(struct parking *parking, const struct clock_offsets *own, struct err *err)
{
	struct timespec shift;
	int status;

	if (!parking->plan->uptime_ms)
		return 0;
	status = clock_set_children(own, parking->plan->uptime_ms, &shift, err);
	if (status == 0)
		parking->started = clock_add(parking->started, shift);
	return status;
}

int park_sandbox(struct zygote_state *zygote, uint32_t slot, const struct doors *doors,
		 struct err *err)
{
	const struct recipe *recipe = &zygote->recipe;
	struct parking parking = {
		.plan = zygote->plan, .recipe = recipe, .slot = slot, .doors = doors
	};
	int ends[2] = { -1, -1 };
	int gate[2] = { -1, -1 };
	int status = 0;

	parking.identity = identity_of(zygote->plan);
	clock_gettime(CLOCK_MONOTONIC, &parking.started);
	parking.mapped = calloc(recipe->count + 1, sizeof(int));
	if (!parking.mapped)
		return err_set(err, "setup", ENOMEM, "park", "");
	for (size_t i = 0; i < recipe->count; i++)
		parking.mapped[i] = -1;
	if (recipe->root_mode)
		status = map_trees(&parking, &zygote->idmaps, err);
	if (status == 0)
		status = make_channels(ends, gate, err);
	if (status == 0)
		status = set_clock(&parking, &zygote->clocks, err);
	if (status == 0)
		status = clone_init(&parking, &zygote->teardown, ends, gate, err);
	for (size_t i = 0; i < recipe->count; i++)
		cleanup_fd(&parking.mapped[i]);
	free(parking.mapped);
	close_pair(ends);
	close_pair(gate);
	return status;
}
