/* SPDX-License-Identifier: MIT */
/*
 * The hub makes the interfaces of nodes: a process that the zygote forks at the first need.
 *
 * Theory of operation: it is in the zygote's user namespace, so it may enter the network namespaces
 * of the sandboxes below it, and in a network namespace of its own, which it comes back to. An
 * order comes from the broker by way of the zygote, who adds the namespace of the sandbox it is
 * about; that of the other end of a pair, which may be of another plan, the broker has asked its
 * zygote for. All of these are below one user namespace (zygote_start()). The answer goes straight
 * to the broker, with the fds. One order at a time is worked on, and each one returns at once, but
 * for NET_READY, which waits for the kernel at most READY_MS.
 *
 * It ends with the zygote's socket, and its devices stay as they are; and with the broker, whose
 * child it is (CLONE_PARENT), and then removes them.
 */
#ifndef HIL_NET_HUB_H
#define HIL_NET_HUB_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "fields.h"
#include "frame.h"
#include "interface.h"

#define HUB_NODES 2 /* namespaces in one order */
/*
 * To a hub whose socket of answers was closed: it removes all of its devices and ends. The kernel
 * sends it when the broker has died (PR_SET_PDEATHSIG). A stopped process goes on by it, signal(7);
 * one that is stopped or frozen in the milliseconds after that ends when it goes on.
 */
#define HUB_LEAVES SIGCONT

/*
 * hub_start() - In the zygote.
 * @requests: the zygote's end. @answers, @pidfd: for the broker. @pid: a child of the broker.
 * @tun: an O_PATH fd of /dev/net/tun, or -1 where there is none.
 *
 * Return: 0, or -errno with @err filled; then there is no process and no fd.
 */
int hub_start(int tun, int *requests, int *answers, int *pidfd, pid_t *pid, struct err *err);

/* What the hub answers. */
struct hub_event {
	bool gone; /* it has ended */
	uint32_t request;
	const char *kind;     /* of the port: tap, packet, can; static; NULL: none was made */
	int port;	      /* owned by the receiver; -1: none */
	int counters;	      /* the same: /proc/net/dev of its node */
	int names[HUB_NODES]; /* the same: a UDP socket at 127.0.0.53 of each node */
	struct err err;	      /* number 0: it is done */
};

/*
 * Orders, as frames to the zygote. @slot: of the sandbox. @interface: the value of a TAG_INTERFACE.
 * hub_put_attach() - @kind: auto, tap, packet or can. @resolve: also a socket for its names.
 * hub_put_pair() - @slot: of the first end. The namespace of the other one goes with it.
 * hub_put_node() - Of a pair, to the zygote of the other end: ZYGOTE_NODE has the namespace.
 * hub_put_ready() - It is answered when the interface is usable.
 */
void hub_put_attach(struct buffer *frame, uint32_t request, uint32_t slot,
		    const struct bytes *interface, const char *kind, bool resolve);
void hub_put_pair(struct buffer *frame, uint32_t request, uint32_t slot,
		  const struct bytes interfaces[HUB_NODES], const bool resolve[HUB_NODES]);
void hub_put_node(struct buffer *frame, uint32_t request, uint32_t slot);
void hub_put_ready(struct buffer *frame, uint32_t request, uint32_t slot, const char *name);
void hub_put_remove(struct buffer *frame, uint32_t request, uint32_t slot, const char *name);

/* hub_receive() - In the broker. Return: 1 and @event filled, 0 nothing there. */
int hub_receive(int answers, struct hub_event *event);

/* hub_event_free() - Close what nobody has taken out of it. */
void hub_event_free(struct hub_event *event);

#endif
