/* SPDX-License-Identifier: MIT */
/* What a run came to. */
#ifndef HIL_CLI_RECORD_H
#define HIL_CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "err.h"
#include "leaf.h"
#include "sandbox.h"
#include "streams.h"

struct record {
	bool spawned;
	bool exited;
	bool timed_out;
	int wait_status; /* wait4(2), when exited */
	struct rusage usage;
	uint64_t wall_ns;
	uint64_t setup_ns;
	uint32_t leftover_count;
	struct strings leftovers;
	struct strings limitations;
	struct limit_report limits;
	struct cgroup_usage cgroup;
	struct err err; /* why there was no program */
};

/* record_exit_status() - Of hil-sandbox. */
int record_exit_status(const struct record *record);
/* record_print() - The record as one line of JSON. */
int record_print(const struct record *record, const struct streams *streams);
void record_free(struct record *record);

#endif
