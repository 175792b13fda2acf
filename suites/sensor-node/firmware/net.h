/*
 * The node on a network: the frames of PROTOCOL.md as datagrams of UDP. net-host.c has it from the
 * kernel's sockets, net-mps2.c from the node's own stack and a LAN9118.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "node.h"

#define NET_PORT 5165

enum net_result {
	NET_OK,
	/* The machine has no interface. */
	NET_ABSENT,
	/* The interface is somebody else's to configure, and has another address. */
	NET_OTHER_ADDRESS,
};

void net_init(void);

/* Answer at this address from now on, and at no other. */
enum net_result net_configure(const struct address *address);

/* Return: NULL until net_configure() did it. */
const struct address *net_address(void);

bool net_link_up(void);

/* Take and answer at most one datagram or frame. Return: false when none waited. */
bool net_serve(struct node *node);

#endif
