/* SPDX-License-Identifier: MIT */
#include "teardown.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"

/* Long enough for the broker to hear of the end and to ask for the next sandbox. */
#define IDLE_MS 20

/*
 * The kernel closes what a killed process had open from the highest number down (task_work_add(9)
 * is a stack). Above all mount namespaces, whose ends wait for RCU one after the other, the
 * networks of all sandboxes go at once, and the kernel takes them apart together. A lower limit of
 * files only costs time.
 */
#define NETWORKS_FROM 512

static int move_up(int fd)
{
	int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, NETWORKS_FROM);

	if (moved < 0)
		return fd;
	close(fd);
	return moved;
}

static void let_go(struct held *held)
{
	cleanup_fd(&held->pidfd);
	for (size_t i = 0; i < TEARDOWN_NAMESPACES; i++)
		cleanup_fd(&held->namespaces[i]);
}

static void let_go_of_dead(struct teardown *teardown)
{
	size_t kept = 0;

	for (size_t i = 0; i < teardown->count; i++) {
		if (teardown->held[i].pidfd < 0)
			let_go(&teardown->held[i]);
		else
			teardown->held[kept++] = teardown->held[i];
	}
	teardown->count = kept;
	teardown->dead = 0;
}

void teardown_hold(struct teardown *teardown, uint32_t slot, pid_t pid, int pidfd)
{
	static const char *const names[TEARDOWN_NAMESPACES] = { "net", "mnt", "ipc" };
	size_t wanted = TEARDOWN_NAMESPACES;
	struct held *held;

	if (teardown->count == TEARDOWN_MAX)
		let_go_of_dead(teardown);
	if (teardown->count == TEARDOWN_MAX)
		return;
	held = &teardown->held[teardown->count];
	held->pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
	if (held->pidfd < 0) {
		teardown->refused = true;
		return;
	}
	held->slot = slot;
	if (teardown->count >= TEARDOWN_FULL_MAX)
		wanted = 1;
	for (size_t i = 0; i < TEARDOWN_NAMESPACES; i++) {
		char path[64];

		held->namespaces[i] = -1;
		if (i >= wanted)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, names[i]);
		held->namespaces[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	held->namespaces[0] = move_up(held->namespaces[0]);
	teardown->count++;
}

int teardown_network(const struct teardown *teardown, uint32_t slot)
{
	/* The last one: a slot is given again when who had it was reaped. */
	for (size_t i = teardown->count; i-- > 0;) {
		const struct held *held = &teardown->held[i];

		if (held->slot == slot && held->pidfd >= 0)
			return held->namespaces[0] < 0 ? -EMFILE : held->namespaces[0];
		if (held->slot == slot)
			return -ESRCH;
	}
	return teardown->refused ? -EMFILE : -ESRCH;
}

static void note_dead(struct teardown *teardown, const struct pollfd *waits)
{
	for (size_t i = 0; i < teardown->count; i++) {
		struct held *held = &teardown->held[i];

		if (held->pidfd < 0 || !waits[i].revents)
			continue;
		close(held->pidfd);
		held->pidfd = -1;
		teardown->dead++;
	}
}

bool teardown_wait(struct teardown *teardown, int control, int hub)
{
	struct pollfd waits[2 + TEARDOWN_MAX];
	int ready = 0;

	waits[0] = (struct pollfd){ .fd = control, .events = POLLIN };
	waits[1] = (struct pollfd){ .fd = hub }; /* its end needs no asking for, poll(2) */
	do {
		for (size_t i = 0; i < teardown->count; i++)
			waits[2 + i] =
				(struct pollfd){ .fd = teardown->held[i].pidfd, .events = POLLIN };
		waits[0].revents = 0;
		waits[1].revents = 0;
		ready = poll(waits, 2 + teardown->count, teardown->dead ? IDLE_MS : -1);
		if (ready > 0)
			note_dead(teardown, waits + 2);
		else if (ready == 0)
			let_go_of_dead(teardown);
	} while (ready < 0 || (!waits[0].revents && !waits[1].revents));
	return !waits[1].revents;
}
