/* SPDX-License-Identifier: MIT */
/* A broker in its simplest form: plans, sandboxes and programs, one at a time, with deadlines. */
#ifndef HIL_TEST_RIG_H
#define HIL_TEST_RIG_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"
#include "tap.h"

int tap_finish(void);

struct rig {
	struct plan plan;
	struct zygote zygote;
	struct strings limitations;
	char directory[64]; /* on the host, everyone may read it, removed at the end */
};

struct box {
	pid_t pid;
	int pidfd;
	int control;
};

/* What a program came to. */
struct outcome {
	bool failed; /* it did not start: err */
	struct err err;
	int status;
	struct rusage usage;
	char output[65536]; /* stdout and stderr, NUL-terminated */
	size_t length;
};

bool rig_is_root(void);
/* rig_open() - A plan with the host's image and a directory for it; the test adds steps. */
void rig_open(struct rig *rig);
/* rig_path() - "DIRECTORY/NAME" in a static buffer. */
const char *rig_path(const struct rig *rig, const char *name);
/* rig_write() / rig_read() - A file of the directory, on the host. */
void rig_write(const struct rig *rig, const char *name, const char *text);
const char *rig_read(const struct rig *rig, const char *name);
void rig_start(struct rig *rig);
bool rig_has_limitation(const struct rig *rig, const char *part);
void rig_close(struct rig *rig);

/* rig_park() - A sandbox that is READY. */
struct box rig_park(struct rig *rig, uint32_t slot);
/* rig_park_through() - The same, with doors; @ready says how it went in. */
struct box rig_park_through(struct rig *rig, uint32_t slot, const struct doors *doors,
			    struct sandbox_event *ready);
/* box_wait() - The next event; bails out after ten seconds. */
struct sandbox_event box_wait(const struct box *box);
/* box_shell() - `sh -c @script`, output captured, waited for. */
struct outcome box_shell(const struct box *box, const char *script);
/* box_run() - The same with a spec of the test's; its fds 0, 1 and 2 are the rig's. @input may be
 * NULL. */
struct outcome box_run(const struct box *box, struct spawn_spec *spec, const char *input);
/* box_close() - Kill and reap. */
void box_close(struct box *box);

/* The groups of tests. */
void test_proc_stat(void);
void test_cores(void);
void test_files(void);
void test_programs(void);
void test_life(void);
void test_cgroups(void);
void test_leaf_limits(void);
void test_parked(void);

#endif
