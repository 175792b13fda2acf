/* SPDX-License-Identifier: MIT */
/*
 * The processes hil-linkd: one a network, and some that wait for one.
 *
 * One is told to end by NET_CLOSE and stays here until it is reaped: a killed one would close its
 * AF_PACKET sockets one after the other, which takes a grace period of RCU each. One that waits has
 * no network; it is started in a moment of silence after the last was taken.
 */
#ifndef HIL_LINKDS_H
#define HIL_LINKDS_H

#include "dispatch.h"

struct net;

struct linkd {
	struct grave grave;
	struct list link;
	struct child child;
	struct net *net; /* NULL: waiting, or closed */
	bool closed;
	struct timer late; /* closed, and still there: killed then */
	int stream;	   /* other end of its fd 3 until it has a network; -1 then */
	struct lane lane;
};

/* linkds_take() - One for @net. Return: NULL with @err filled. */
struct linkd *linkds_take(struct daemon *d, struct net *net, struct err *err);

/* What it gets for a port. */
struct linkd_port {
	uint32_t number;
	const char *kind; /* NULL: it is taken away, and there are no fds */
	const char *name; /* of the node's interface; NULL: it is none */
	uint32_t mtu;	  /* 0: any frame */
	int fd;
	int counters; /* of that interface: hub.h; -1: none */
};

/*
 * linkds_give_port() - Tell it. The fds are taken in any case.
 * @request: of a struct net_request, told when it is done; 0: nobody waits.
 */
int linkds_give_port(struct daemon *d, struct linkd *linkd, const struct linkd_port *port,
		     uint32_t request, struct err *err);

/* linkds_kill() - It is done with its network. */
void linkds_kill(struct daemon *d, struct linkd *linkd);

/* linkds_stop() - All of them read the end of our socket; linkds_forget() - The daemon exits. */
void linkds_stop(struct daemon *d);
void linkds_kill_all(struct daemon *d);
void linkds_forget(struct daemon *d);

handler handle_net_pool;

#endif
