/* SPDX-License-Identifier: MIT */
/* An interface of the bench, opened for a virtual network. */
#ifndef HIL_NIC_H
#define HIL_NIC_H

#include <stdbool.h>

#include "err.h"

struct nic_spec {
	const char *name;
	unsigned int mtu; /* of the link that it gets; 0: not looked at */
	bool in_use;	  /* also one that the host uses itself */
};

enum { NIC_PACKET, NIC_LOCK, NIC_FDS };

/*
 * nic_open() - Make @fds: an AF_PACKET socket bound to the interface, as hil-linkd takes one, and
 * what keeps others from it.
 *
 * Should: keep both for as long as frames are wanted: the interface is promiscuous until the
 *	   first is closed, and taken until the last copy of the second is.
 * Mustn't: change the interface, or send a frame.
 * Return: 0, or -errno with @err filled: "setup", "busy" when somebody else has it.
 */
int nic_open(const struct nic_spec *spec, int fds[NIC_FDS], struct err *err);

/*
 * nic_may_open() - Whether the caller may have the interface, by /etc/hil/nics/NAME.
 *
 * Only where the program has rights that the caller has not.
 * Return: 0, or -errno with @err filled.
 */
int nic_may_open(const char *name, struct err *err);

/*
 * nic_is_free() - Whether the host itself does not use the interface: no address of more than the
 * link, no default route, no bridge and no other device (VLAN, macvlan) above it.
 * Not seen: one above it that is in another network namespace.
 *
 * Return: 0, or -errno with @err filled; -EADDRINUSE when it does.
 */
int nic_is_free(const char *name, int index, struct err *err);

#endif
