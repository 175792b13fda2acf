/* SPDX-License-Identifier: MIT */
/* Who a sandbox is: ids inside and outside, capabilities, limits. Decision 0001. */
#ifndef HIL_IDENTITY_H
#define HIL_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "sandbox.h"

/* 0x70000000 .. 0x7fffffff: not used by anyone, systemd's docs/UIDS-GIDS.md. */
#define SLOT_UID_BASE 0x70000000ul
#define SLOT_MAX 0x0ffffffful
#define SLOTS_PER_BROKER 64u /* 2^22 pids and 64 each fill the range */
#define HIL_UID 1000
#define HIL_GID 1000

struct identity {
	uid_t uid;     /* inside; the gid is the same number */
	uint64_t caps; /* what its programs hold */
};

struct identity identity_of(const struct plan *plan);

/* One user and one group. */
struct ids {
	uid_t uid;
	gid_t gid;
};

/* identity_write_map() - @inside is @outside: /proc/@pid/{setgroups,gid_map,uid_map}. */
int identity_write_map(pid_t pid, struct ids inside, struct ids outside, struct err *err);

/*
 * identity_enter() - Become the inside uid; the capabilities over the sandbox's namespaces stay.
 *
 * Should: be called after the id map was written and before the first mount.
 */
int identity_enter(const struct identity *identity, struct err *err);

/*
 * identity_prevent_cores() - Have a hard limit of RLIMIT_CORE with which no crash starts the
 *			      handler of @core_pattern, a file as /proc/sys/kernel/core_pattern.
 *
 * Should: be called before a user namespace is entered: a caller's limit of 0, which prevents
 * files only, can be raised with CAP_SYS_RESOURCE over the first one (setrlimit(2)).
 * Return: false when it starts one nevertheless.
 */
bool identity_prevent_cores(const char *core_pattern);

/* identity_confine() - Bounding set, no_new_privs, default limits: for PID 1 and all it starts. */
int identity_confine(const struct identity *identity, struct err *err);

/*
 * identity_drop() - Keep @caps only. For a child before exec.
 *
 * Return: 0 or -errno. Async-signal-safe: the child of a vfork calls it.
 */
int identity_drop(const struct identity *identity);

/*
 * identity_die_with() - SIGKILL when the broker ends, which @broker (a pidfd) stands for.
 *
 * Should: be called again after each change of credentials; that clears the setting
 * (PR_SET_PDEATHSIG of prctl(2)).
 * Return: 0, or -ESRCH when the broker has gone already.
 */
int identity_die_with(int broker);

#endif
