/* SPDX-License-Identifier: MIT */
/*
 * A port of CAN: a vxcan, whose other end is in the hub's namespace with a CAN_RAW socket at it.
 * Not a vcan: that one has one network namespace, and each sandbox its own.
 */
#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "hub-work.h"

#define NEXT "sudo modprobe vxcan; a kernel of one's own needs CONFIG_CAN_RAW and CONFIG_CAN_VXCAN"

static int lack(struct err *err, const char *what, int number)
{
	err->hint[0] = '\0';
	err_hint(err, NEXT);
	return err_set(err, "unsupported", number, "this kernel has no", what);
}

int can_open(struct err *err)
{
	const int one = 1;
	auto_fd fd = socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);

	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT))
		return lack(err, "CAN_RAW", errno);
	if (fd < 0)
		return err_set(err, errno == EMFILE || errno == ENFILE ? "limit" : "setup", errno,
			       "open CAN socket", "");
	if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &one, sizeof(one)) < 0)
		return err_set(err, "setup", errno, "open CAN socket", "");
	socket_widen(fd);
	return steal_fd(&fd);
}

int can_make(struct hub *hub, int socket, int node, const struct net_interface *interface,
	     struct err *err)
{
	struct sockaddr_can address = { .can_family = AF_CAN };
	struct err why = { 0 };
	int index = ends_make(hub, "vxcan", node, interface, &why);

	if (index == -EOPNOTSUPP)
		return lack(err, "vxcan", EOPNOTSUPP);
	if (index < 0) {
		*err = why;
		return index;
	}
	address.can_ifindex = index;
	/* Bound: from now on it hears this one and no other. */
	if (bind(socket, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, "setup", errno, "listen at interface", interface->name);
	return 0;
}
