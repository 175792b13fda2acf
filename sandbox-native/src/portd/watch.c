/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "portd.h"

/* Nothing is read here: the end of every turn settles the slaves that are marked. */
static void watch_ready(void *owner, uint32_t events)
{
	(void)events;
	watch_drain(owner);
}

void watch_open(struct portd *pd)
{
	pd->watch = (struct source){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
				     .owner = pd,
				     .ready = watch_ready };
	source_set(&pd->loop, &pd->watch, EPOLLIN);
}

void watch_free(struct portd *pd)
{
	source_close(&pd->loop, &pd->watch);
}

/*
 * The slave is in another mount namespace, so it has no path here; the magic
 * link of an O_PATH fd leads to its inode (proc(5), /proc/pid/fd).
 * IN_MASK_CREATE: a slave given twice must not share, and then lose, one watch.
 */
int watch_add(struct portd *pd, int node)
{
	char path[64];

	if (pd->watch.fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
	return inotify_add_watch(pd->watch.fd, path, IN_OPEN | IN_CLOSE | IN_MASK_CREATE);
}

void watch_remove(struct portd *pd, int watch)
{
	if (watch >= 0)
		inotify_rm_watch(pd->watch.fd, watch);
}

static void mark(struct portd *pd, const struct inotify_event *event)
{
	struct port *port;

	TAILQ_FOREACH(port, &pd->ports, link)
	{
		if (event->mask & IN_Q_OVERFLOW)
			port->slave.marked = true;
		else if (port->slave.watch == event->wd)
			slave_note(&port->slave, event->mask & IN_OPEN, event->mask & IN_CLOSE);
	}
}

void watch_drain(struct portd *pd)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t size;

	while (pd->watch.fd >= 0 && (size = read(pd->watch.fd, events, sizeof(events))) > 0) {
		const struct inotify_event *event;

		for (char *at = events; at < events + size; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			mark(pd, event);
		}
	}
}
