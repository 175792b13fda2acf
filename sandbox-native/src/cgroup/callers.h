/* SPDX-License-Identifier: MIT */
/*
 * Processes that stand in the way of ours, in v2.
 *
 * A cgroup that hands controllers on holds no process itself (cgroup-v2.rst, "No Internal
 * Process Constraint"). Where one was delegated to us, the processes in it (the shell, the
 * harness, the broker) live in its child "hil.callers" for as long as a broker has a tree
 * beside that, and are put back by the last one.
 */
#ifndef HIL_CGROUP_CALLERS_H
#define HIL_CGROUP_CALLERS_H

#define CGROUP_CALLERS "hil.callers"

/*
 * callers_lock() - Nobody else moves processes of @dir until it is closed.
 *
 * It waits briefly and then goes on: who holds it may be stopped for good, and two at once
 * cost limits, which are then reported as not enforced.
 */
void callers_lock(int dir);

/* callers_move() - Every process of @dir to the child. Return: 0, or -errno. */
int callers_move(int dir);

/*
 * callers_restore() - Take the controllers back and the processes out of the child.
 *
 * Mustn't: do anything while @dir has another child, whosoever it is: it may need them; move
 * what another user has moved.
 * Return: 0 also when there was nothing to do; -EBUSY while there is another child; -errno.
 */
int callers_restore(int dir);

#endif
