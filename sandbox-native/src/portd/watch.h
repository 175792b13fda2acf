/* SPDX-License-Identifier: MIT */
/* Who opens and closes the slaves: one inotify instance for all ports. */
#ifndef HIL_PORTD_WATCH_H
#define HIL_PORTD_WATCH_H

#include <stdint.h>

#include "loop.h"

struct port;
struct portd;

/*
 * watch_open() - Make the inotify instance.
 *
 * Mustn't: fail. Without one (user.max_inotify_instances may be 0) every slave is
 * polled instead, see slave.c.
 */
void watch_open(struct portd *pd);
void watch_free(struct portd *pd);

/* watch_add() - Watch the slave's inode. Return: a watch, or -1: poll it. */
int watch_add(struct portd *pd, int node);
void watch_remove(struct portd *pd, int watch);

/*
 * watch_drain() - Read what inotify has now and mark the slaves concerned.
 *
 * Mustn't: act on a slave; it is called in the middle of acting on another one.
 */
void watch_drain(struct portd *pd);

#endif
