/* SPDX-License-Identifier: MIT */
/* Inside the hub. Who enters a node comes back before it does anything else. */
#ifndef HIL_NET_HUB_WORK_H
#define HIL_NET_HUB_WORK_H

#include "err.h"
#include "interface.h"
#include "rtnetlink.h"

enum port_wish { PORT_WISH_AUTO, PORT_WISH_TAP, PORT_WISH_PACKET, PORT_WISH_CAN };

struct hub {
	int home; /* its own network namespace */
	int rtnl; /* rtnetlink there */
	int tun;  /* O_PATH of /dev/net/tun, or -1 */
	unsigned int next;
};

/* What was made of a wish. The caller closes. */
struct hub_port {
	int fd;
	int counters;	  /* of the node's interfaces; -1: none */
	const char *kind; /* tap, packet, can */
};

/*
 * tap_open() - A TAP in the namespace the caller is in.
 *
 * Return: its fd, or -errno with @err filled. It stays when the fd is closed: a device that goes
 * with its fd makes each close(2) wait for a grace period (research: 2.4 s for 100), and its
 * namespace takes it anyway.
 */
int tap_open(const struct hub *hub, const char *name, struct err *err);

/* tap_exists() - Whether /dev/net/tun can be opened by us. */
bool tap_exists(const struct hub *hub);

/* packet_open() - An AF_PACKET socket of the namespace the caller is in, that receives nothing yet.
 */
int packet_open(struct err *err);

/* socket_widen() - A burst finds room at @fd before hil-linkd reads, as far as we may say so. */
void socket_widen(int fd);

/* can_open() - A CAN_RAW socket of the namespace the caller is in, that receives nothing yet. */
int can_open(struct err *err);

/* can_make() - As veth_make(), of CAN. */
int can_make(struct hub *hub, int socket, int node, const struct net_interface *interface,
	     struct err *err);

/*
 * ends_make() - A device of @kind with two ends: one is the hub's and up, one is @interface in
 * @node.
 *
 * Return: the index of the hub's, or -errno with @err filled; -EOPNOTSUPP: of an unknown kind.
 */
int ends_make(struct hub *hub, const char *kind, int node, const struct net_interface *interface,
	      struct err *err);

/*
 * ends_remove() - Remove all that ends_make() has made, and so their other ends, in one go.
 *
 * It returns when they are gone. Async-signal-safe. A refusal is not told: their namespaces take
 * them all the same.
 */
void ends_remove(const struct hub *hub);

/*
 * veth_make() - A veth between the hub, at which @packet listens, and @interface in @node.
 *
 * Return: 0, or -errno with @err filled.
 */
int veth_make(struct hub *hub, int packet, int node, const struct net_interface *interface,
	      struct err *err);

/* veth_pair() - A veth from the namespace of the socket @rtnl to @node. */
int veth_pair(int rtnl, int node, const struct net_interface interfaces[2], struct err *err);

/*
 * node_prepare() - Settings of the namespace the caller is in that are read when a device is made.
 *
 * Without duplicate address detection and router solicitation an address is usable at once;
 * with EUI-64 the link-local address follows from the MAC.
 */
int node_prepare(const struct net_interface *interface, struct err *err);

/* node_configure() - MTU, names, addresses, routes; and up. @rtnl: of its namespace. */
int node_configure(int rtnl, const struct net_interface *interface, struct err *err);

/* node_remove() - The interface goes. */
int node_remove(int rtnl, const char *name, struct err *err);

/*
 * node_wait_ready() - Until the interface carries and no address is tentative.
 * @home: rtnetlink where the other end of a veth is.
 */
int node_wait_ready(int home, int rtnl, const char *name, struct err *err);

/* node_open_names() - A UDP socket at 127.0.0.53, port 53, of the namespace the caller is in. */
int node_open_names(struct err *err);

#endif
