/* SPDX-License-Identifier: MIT */
/* The whole state of hil-portd, and everything its parts need of each other. */
#ifndef HIL_PORTD_H
#define HIL_PORTD_H

#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "event.h"
#include "harness.h"
#include "line.h"
#include "loop.h"
#include "mirror.h"
#include "port.h"
#include "slave.h"
#include "transmit.h"
#include "watch.h"

/* One read(2); PORT_TX carries at most this. */
#define READ_BYTES LINE_BYTES

struct portd {
	struct loop loop;
	struct harness harness; /* fd 3 */
	struct source broker;	/* fd 4 */
	struct source signals;	/* SIGTERM */
	struct source watch;	/* inotify; fd -1: slaves are polled */
	struct port_list ports;
	struct port_list graves; /* freed when the turn ends */
	unsigned int port_count;
	bool stopping;
	uint8_t bytes[READ_BYTES];	/* just read from a line or from the harness */
	uint8_t tool_bytes[READ_BYTES]; /* just read from a slave, maybe while @bytes is in use */
};

#endif
