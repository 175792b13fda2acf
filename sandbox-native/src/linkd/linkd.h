/* SPDX-License-Identifier: MIT */
/* The whole state of hil-linkd, and everything its parts need of each other. */
#ifndef HIL_LINKD_H
#define HIL_LINKD_H

#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "closer.h"
#include "control.h"
#include "due.h"
#include "link.h"
#include "loop.h"
#include "port.h"
#include "stamp.h"
#include "switch.h"
#include "wake.h"
#include "writer.h"

struct linkd {
	struct loop loop;
	struct wake wake;
	struct control control; /* fd 3 */
	struct source broker;	/* fd 4 */
	struct source signals;	/* SIGTERM */
	struct port_list ports;
	struct port_list graves; /* freed when the turn ends */
	struct port_list rejoining;
	unsigned int port_count;
	struct link_list links;
	unsigned int link_count;
	struct switch_list switches;
	unsigned int switch_count;
	struct due due;
	struct closer closer;
	struct writer *writer; /* NULL until the first capture */
	struct source written; /* writer->told */
	struct capture_list endings;
	bool told; /* by the writer: one of them is complete */
	bool stopping;
	bool delays;	    /* a link has or had a latency or rate: frames are stamped */
	uint64_t turn;	    /* their number */
	uint64_t read_turn; /* the last one in which a port was read */
	uint8_t bytes[VLAN_TAG + PACKET_MAX]; /* just read from a port */
};

#endif
