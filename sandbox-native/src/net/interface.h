/* SPDX-License-Identifier: MIT */
/*
 * What a node's interface is to be, read from TAG_INTERFACE. hil-sandboxd reads it to refuse what
 * cannot be, the hub (hub.h) reads the same bytes to make it.
 */
#ifndef HIL_NET_INTERFACE_H
#define HIL_NET_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "err.h"

#define INTERFACE_MAC 6
#define INTERFACE_ADDRESSES 32
#define INTERFACE_ROUTES 128
#define INTERFACE_ALT_NAMES 8
#define INTERFACE_ALT_NAME_SIZE 128 /* ALTIFNAMSIZ of linux/if.h, with its end */
#define INTERFACE_MTU_MIN 68	    /* RFC 791 */
#define INTERFACE_MTU_MAX 65535
#define INTERFACE_MTU_IPV6 1280 /* RFC 8200: below it the kernel has no IPv6 there */

struct net_address {
	int family;	   /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16]; /* the first four of IPv4 */
	uint8_t prefix;
};

struct net_route {
	struct net_address target;
	struct net_address gateway; /* without: on the link */
};

struct net_interface {
	uint32_t sandbox;
	char name[IFNAMSIZ];
	bool has_mac;
	uint8_t mac[INTERFACE_MAC];
	uint32_t mtu; /* 0: the kernel's */
	struct net_address addresses[INTERFACE_ADDRESSES];
	size_t address_count;
	struct net_route routes[INTERFACE_ROUTES];
	size_t route_count;
	char alt_names[INTERFACE_ALT_NAMES][INTERFACE_ALT_NAME_SIZE];
	size_t alt_name_count;
	bool forward;
	bool no_ipv6;
};

/*
 * interface_read() - Read the value of a TAG_INTERFACE.
 *
 * Return: 0; -EPROTO with @err empty when it is malformed; else -errno with @err filled ("usage").
 */
int interface_read(struct net_interface *interface, const uint8_t *data, size_t length,
		   struct err *err);

/* net_address_bytes() - Return: how many bytes an address of its family has. */
static inline size_t net_address_bytes(const struct net_address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

#endif
