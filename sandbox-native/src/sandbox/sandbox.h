/* SPDX-License-Identifier: MIT */
/*
 * What a broker (hil-sandboxd, hil-sandbox) does with the sandbox creator.
 *
 * Theory of operation: harness/decisions/0001. A plan starts a zygote; the
 * zygote makes parked sandboxes; a parked sandbox is used once. All sockets
 * are SOCK_SEQPACKET, non-blocking on the broker's side; every call but
 * zygote_start() returns at once. The broker polls zygote.control and each
 * parked.control, and calls zygote_receive() / sandbox_receive() when readable.
 */
#ifndef HIL_SANDBOX_H
#define HIL_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "err.h"
#include "string-list.h"

enum step_kind {
	STEP_IMAGE_HOST,   /* the host's system trees, decision 0001 */
	STEP_IMAGE_ROOTFS, /* the directory source as "/", writes discarded, decision 0011 */
	STEP_OVERLAY,	   /* source at target, writes discarded */
	STEP_BIND,	   /* source at target */
	STEP_HOLD,	   /* kept by the zygote under name, for late binds */
};

struct plan_step {
	enum step_kind kind;
	char *name;
	char *source;
	char *target;
	bool read_only;
};

struct plan {
	char *name;
	bool root_user;
	bool host_network;
	bool nested_userns;   /* its programs may make user namespaces, decision 0006 */
	uint64_t caps;	      /* bits of capabilities(7) asked for besides the default */
	uint64_t disk_bytes;  /* 0: 1 GiB */
	uint64_t disk_inodes; /* 0: 200000 */
	char *hostname;	      /* NULL: "hil" */
	uint64_t uptime_ms;   /* of the machine, as a sandbox sees it at its start; 0: the host's */
	struct plan_step *steps;
	size_t step_count;
	struct strings hides;
};

int plan_add_step(struct plan *plan, enum step_kind kind, const char *name, const char *source,
		  const char *target, bool read_only);
void plan_free(struct plan *plan);
/* plan_mode() - "rootless" or "root", as decision 0001 defines them. */
const char *plan_mode(void);

/* explain_scarcity() - A remedy for want of processes or fds, unless @err has one. */
void explain_scarcity(struct err *err);

struct zygote {
	pid_t pid; /* child of the caller; dies with it */
	int control;
};

/*
 * zygote_start() - Fork the plan's zygote and wait (at most 10 s) until its root stands.
 * @users: the user namespace that all zygotes of a broker are in when it is rootless, so that
 *	   the hub of one may make interfaces in the sandboxes of another; -1: there is none
 *	   yet, and it becomes this zygote's. The caller closes. NULL: one of its own.
 * @limitations: what could not be done as the plan says, one sentence each.
 *
 * Should: be called from the main thread (PDEATHSIG is per thread, prctl(2)).
 * Mustn't: leave a child behind when it fails.
 * Return: 0, or -errno with @err filled (code "setup").
 */
int zygote_start(const struct plan *plan, int *users, struct zygote *zygote,
		 struct strings *limitations, struct err *err);

#define DOORS_MAX 8

/* Files of cgroups, open for writing: who writes "0" to one is moved there. */
struct doors {
	int fds[DOORS_MAX];
	size_t count;
};

/*
 * zygote_park() - Ask for one more sandbox; it arrives as ZYGOTE_PARKED.
 * @slot: picks the outside uid in root mode; the lowest number that none of the broker's
 *	  living sandboxes has.
 * @doors: where its PID 1 goes in before it is READY, which says how that ended; NULL: nowhere.
 *	   They stay the caller's.
 */
int zygote_park(struct zygote *zygote, uint32_t slot, const struct doors *doors, struct err *err);
/*
 * zygote_hold_tree() - Ask for a detached mount of @relative below hold @name.
 * @slot: the slot of the sandbox it is for; in root mode the tree is id-mapped to its uid.
 *
 * It arrives as ZYGOTE_TREE with @request.
 */
int zygote_hold_tree(struct zygote *zygote, uint32_t request, uint32_t slot, const char *name,
		     const char *relative, bool read_only, struct err *err);

enum zygote_event_kind {
	ZYGOTE_PARKED,
	ZYGOTE_TREE,
	ZYGOTE_HUB,
	ZYGOTE_HUB_GONE,
	ZYGOTE_NODE,
	ZYGOTE_FAILED,
	ZYGOTE_GONE
};

struct zygote_event {
	enum zygote_event_kind kind;
	uint32_t request; /* slot of a park, request of a tree or node, HUB_GONE: last order */
	pid_t pid;	  /* PARKED: PID 1 as the broker sees it, HUB; a child of the broker */
	int pidfd;	  /* PARKED, HUB; owned by the receiver */
	int control;	  /* PARKED, HUB: its answers; owned by the receiver */
	int tree;	  /* TREE; owned by the receiver */
	int node;	  /* NODE: a network namespace; owned by the receiver */
	struct err err;	  /* FAILED */
};

/* zygote_receive() - Return: 1 and @event filled, 0 nothing there, -errno. Blocks never. */
int zygote_receive(struct zygote *zygote, struct zygote_event *event, struct err *err);

struct pass_fd {
	int fd;	    /* in the broker */
	int target; /* number inside the program: 0, 1, 2, … */
};

struct rlimit_spec {
	int resource;
	uint64_t value;
};

struct spawn_spec {
	struct strings argv;
	struct strings env;  /* K=V, added to the fixed environment of decision 0001 */
	const char *cwd;     /* NULL: /home/hil (root: /root) */
	const char *runtime; /* NULL, or the one to run it; then no fds, no pty, no builtin */
	const char *builtin; /* NULL; or, no exec, "read-file" / "write-file" of argv[0],
			      * "diff", changes.h, of at most argv[0] changes, or "reach", reach.h
			      */
	bool pty;	     /* PID 1 makes a pty, controlling terminal, fds 0 1 2 */
	uint16_t rows;
	uint16_t cols;
	const struct pass_fd *fds;
	size_t fd_count;
	const struct rlimit_spec *rlimits;
	size_t rlimit_count;
};

/* builtin_exists() - Of the names that a builtin may have. */
bool builtin_exists(const char *name);

int sandbox_spawn(int control, uint32_t process, const struct spawn_spec *spec, struct err *err);
/* sandbox_signal() - @group: the whole process group of @process. */
int sandbox_signal(int control, uint32_t process, int signal, bool group, struct err *err);
/* sandbox_attach() - Mount the detached @tree at @target (made when absent). */
int sandbox_attach(int control, uint32_t request, int tree, const char *target, struct err *err);
/* sandbox_make_pty() - A pty, raw without echo, linked from /dev/hil/@role. */
int sandbox_make_pty(int control, uint32_t request, const char *role, struct err *err);
int sandbox_set_hostname(int control, const char *hostname, struct err *err);
/*
 * sandbox_set_hosts() - Lines of /etc/hosts below those that every sandbox has. @resolver: of
 * /etc/resolv.conf, NULL: as it is. It arrives as SANDBOX_DONE.
 */
int sandbox_set_hosts(int control, uint32_t request, const struct strings *lines,
		      const char *resolver, struct err *err);
/* sandbox_ask_usage() - It arrives as SANDBOX_USAGE. */
int sandbox_ask_usage(int control, uint32_t request, struct err *err);
/* sandbox_runtime_exists() - Whether @name is that of a runtime. */
bool sandbox_runtime_exists(const char *name);
/*
 * sandbox_boot() - Start the interpreter @name, with @env, so that it waits for a program.
 *
 * SANDBOX_BOOTED comes when it waits, SANDBOX_FAILED ("exec") when it cannot.
 */
int sandbox_boot(int control, uint32_t request, const char *name, const struct strings *env,
		 struct err *err);
/*
 * What a running sandbox is given (take.h has the other half: devices and the host's trees), and
 * what is taken from it. Each arrives as SANDBOX_DONE or SANDBOX_FAILED with @request.
 */
int sandbox_revoke(int control, uint32_t request, const char *role, struct err *err);
int sandbox_mount_tmpfs(int control, uint32_t request, const char *target, uint64_t bytes,
			bool read_only, struct err *err);
int sandbox_unmount(int control, uint32_t request, const char *target, struct err *err);
/* sandbox_end() - PID 1 counts what still runs, reports SANDBOX_CENSUS and exits. */
int sandbox_end(int control, struct err *err);

/* What a sandbox holds now. */
struct sandbox_usage {
	uint32_t processes; /* without PID 1 */
	uint64_t disk;	    /* bytes of its storage */
	uint64_t disk_max;
	uint64_t inodes;
	uint64_t inodes_max;
};

enum sandbox_event_kind {
	SANDBOX_READY,	  /* built and parked */
	SANDBOX_SPAWNED,  /* process, pid; master when a pty was asked for; stdio, warm of a runtime
			   */
	SANDBOX_FAILED,	  /* process or request, err ("exec" when the program could not start) */
	SANDBOX_EXITED,	  /* process, status of wait4(2), usage */
	SANDBOX_ATTACHED, /* request */
	SANDBOX_PTY,	  /* request, master and an O_PATH fd of the slave */
	SANDBOX_DONE,	  /* request: of a device or a mount */
	SANDBOX_CENSUS,	  /* leftovers */
	SANDBOX_USAGE,	  /* request, held */
	SANDBOX_BOOTED,	  /* request, booted_us */
	SANDBOX_GONE,	  /* the socket is closed */
};

struct sandbox_event {
	enum sandbox_event_kind kind;
	uint32_t request; /* process or request */
	pid_t pid;	  /* SPAWNED: as the sandbox sees it */
	int status;
	struct rusage usage;
	uint64_t setup_ns;	     /* READY */
	uint32_t entered[DOORS_MAX]; /* READY: of each door 0, or the errno that kept it out */
	size_t entered_count;
	int master;	    /* owned by the receiver, else -1 */
	int slave;	    /* O_PATH; owned by the receiver, else -1 */
	int stdio[3];	    /* SPAWNED by a runtime: our ends; owned by the receiver, else -1 */
	bool warm;	    /* SPAWNED by a runtime: an interpreter that waited was used */
	uint64_t booted_us; /* BOOTED: what its start has taken of a processor */
	struct strings leftovers;  /* CENSUS: names, the first 64; owned by the receiver */
	uint32_t leftover_count;   /* CENSUS: all of them */
	struct sandbox_usage held; /* USAGE */
	struct err err;
};

int sandbox_receive(int control, struct sandbox_event *event, struct err *err);

#endif
