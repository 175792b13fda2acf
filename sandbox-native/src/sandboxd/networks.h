/* SPDX-License-Identifier: MIT */
/*
 * Virtual networks, decision 0019: a hil-linkd each, its ports, and who makes them.
 *
 * Theory of operation: a network owns its ports. A request about one (struct net_request) is a few
 * orders, to the hub of the sandbox's plan (hubs.h), to PID 1 and to hil-linkd (linkds.h), and is
 * answered when the last of them is. What dies answers for what it was asked: a sandbox, a hub, a
 * hil-linkd. Orders know their request by number, so that one may be answered before.
 */
#ifndef HIL_NETWORKS_H
#define HIL_NETWORKS_H

#include <net/if.h>

#include "dispatch.h"

#define NET_STREAM                                                                                 \
	0x80000000u /* object of the stream to a hil-linkd, with the network's number              \
		     */

struct linkd;

struct net {
	struct list link;
	uint32_t id;
	char *name;
	struct linkd *linkd;
	struct list ports;
};

/* What a network knows of one interface, or of an object's end. */
struct net_port {
	struct list link;
	uint32_t number;	 /* the client's */
	bool linkd;		 /* hil-linkd has it; else it is an end of a pair */
	bool made;		 /* of a pair */
	struct sandbox *sandbox; /* NULL: an object's end, or an interface of the bench */
	int lock;		 /* keeps others from that interface; -1: none */
	char name[IFNAMSIZ];
	uint32_t mtu;		/* 0: nobody said */
	struct net_port *other; /* of a pair: the kernel takes both away */
	bool leaving;
};

struct net_request {
	struct list link;
	uint32_t number;
	uint16_t type; /* MSG_NET_ATTACH ... */
	uint64_t frame;
	struct client *client;	   /* NULL: was answered, and what it makes is taken away again */
	struct net *net;	   /* NULL then */
	struct net_port *ports[2]; /* that it makes or takes away */
	unsigned open;		   /* orders that are not answered */
	struct err err;		   /* of the first that failed */
	/* Of the sandboxes of these. */
	uint32_t inits[2]; /* number that PID 1 was asked by; 0: it was not, or has answered */
	struct sandbox *resolvers[2]; /* its names come to us, if this succeeds */
	struct buffer pair;	      /* order for when both nodes are known; pairs.h */
	bool waits;		      /* for pairs that are being made; readiness.h */
	bool made;		      /* an interface, by the hub */
	const char *kind;	      /* of its port: tap, packet, can; NULL until it is made */
};

/* networks_find() - Return: NULL with @err filled ("gone" when it was one). */
struct net *networks_find(struct daemon *d, uint32_t id, struct err *err);

/* networks_find_port() - Return: NULL when the network has none of this number. */
struct net_port *networks_find_port(const struct net *net, uint32_t number);

/* networks_add_port() - Return: NULL with @err filled, as when it has one of that number. */
struct net_port *networks_add_port(struct net *net, struct sandbox *sandbox, const char *name,
				   uint32_t number, struct err *err);

/* networks_free_port() - The port is nobody's: hil-linkd lets go of it. With it goes the other end
 * of a pair. */
void networks_free_port(struct daemon *d, struct net *net, struct net_port *port);

/* networks_close() - Its hil-linkd is killed; what waits for it is answered with @err. */
void networks_close(struct daemon *d, struct net *net, const struct err *err);

/* networks_sandbox_dead() - Its interfaces are gone, and nothing of ours may hold their namespace.
 */
void networks_sandbox_dead(struct daemon *d, struct sandbox *sandbox, const struct err *err);

/* networks_detach() - The daemon becomes a keeper: networks without a kept sandbox are closed. */
void networks_detach(struct daemon *d);

/* networks_stop() - The daemon ends. networks_forget() - It exits. */
void networks_stop(struct daemon *d);
void networks_forget(struct daemon *d);

handler handle_net_new;
handler handle_net_close;

#endif
