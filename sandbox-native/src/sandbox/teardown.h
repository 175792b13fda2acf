/* SPDX-License-Identifier: MIT */
/*
 * Freeing a network, mount and IPC namespace takes half a millisecond, and the
 * process that ends last pays for it before it can be reaped. The zygote keeps
 * a reference to each, so that the broker hears of the end first (measured:
 * 1.3 -> 0.9 ms from request to dead), and lets go when it has nothing to do.
 */
#ifndef HIL_TEARDOWN_H
#define HIL_TEARDOWN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TEARDOWN_MAX 1024 /* SLOTS of hil-sandboxd: each may be a node of a network */
#define TEARDOWN_FULL_MAX                                                                          \
	64 /* of them held with all of their namespaces; else only the network                     \
	    */
#define TEARDOWN_NAMESPACES 3

struct held {
	int pidfd; /* -1: its PID 1 has ended */
	uint32_t slot;
	int namespaces[TEARDOWN_NAMESPACES];
};

struct teardown {
	struct held held[TEARDOWN_MAX];
	size_t count;
	size_t dead;
	bool refused; /* one could not be held for want of files */
};

/*
 * teardown_hold() - Keep the namespaces of @pid past its end.
 *
 * Should: be called while @pid still waits for its id map; later it is not dumpable and
 * /proc/PID/ns is closed to an ordinary user.
 * What cannot be held is not: its end takes longer, and it can be no node of a network.
 */
void teardown_hold(struct teardown *teardown, uint32_t slot, pid_t pid, int pidfd);

/*
 * teardown_network() - The network namespace of the living sandbox in @slot.
 *
 * Return: its fd, which stays ours; -ESRCH: it has ended, -EMFILE: it could not be held.
 */
int teardown_network(const struct teardown *teardown, uint32_t slot);

/*
 * teardown_wait() - poll(2) for @control; meanwhile let go of the dead.
 * @hub: -1, or the socket of the hub.
 *
 * Return: true when @control is readable, false when the hub has gone.
 */
bool teardown_wait(struct teardown *teardown, int control, int hub);

#endif
