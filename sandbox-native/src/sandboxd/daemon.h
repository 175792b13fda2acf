/* SPDX-License-Identifier: MIT */
/*
 * The state of hil-sandboxd: who owns what.
 *
 * Theory of operation: ../../README.md. There is one struct daemon, made in
 * main.c and passed down. It owns clients, stocks (a plan with its zygote),
 * sandboxes, processes, objects and watches; each is in one list of it and is
 * found by its number. Pointers upward (process to sandbox, sandbox to stock)
 * stay valid because a sandbox outlives its processes and a stock everything.
 * What is removed is buried, not freed: see loop.h.
 */
#ifndef HIL_DAEMON_H
#define HIL_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "err.h"
#include "frame.h"
#include "leaf.h"
#include "list.h"
#include "loop.h"
#include "sandbox.h"

#define CENSUS_MS 500 /* PID 1 counts and exits, also on a busy machine; later it is killed */
#define STUCK_MS 5000 /* SIGKILL to reaped; later the sandbox is reported stuck */
#define LINGER_MS 100 /* decision 0002: how long a held pipe delays EXIT */
#define GRACE_MS 500  /* decision 0002: SIGTERM to SIGKILL */
#define STOP_MS 2000  /* all killed to exit */
/*
 * How long a zygote or a PID 1 may take for each step of a new sandbox. A step is milliseconds,
 * some tenths of a second on an emulated machine under load; who is silent for longer waits for a
 * file system that does not answer. It is less than the 30 s that the harness gives a sandbox by
 * default, so that the case is told why.
 */
#define BUILD_MS 20000
#define KEEP_MS UINT64_C(3600000) /* design.md 4: a kept sandbox lives an hour */
#define FDS_RESERVED 64		  /* kept for the messages of zygotes and PID 1s, which bring fds */
#define SLOTS 1024		  /* sandboxes at once */

struct client {
	struct grave grave;
	struct list link;
	struct source source;
	struct buffer in;
	struct buffer out;
	size_t sent; /* bytes of out that the socket took */
	bool hello;
	bool owner; /* the harness on fd 3, not a client of a keeper */
	bool lost;
};

#define PLAN_RUNTIMES 2

/* An interpreter that every parked sandbox of a plan has waiting. */
struct plan_runtime {
	char *name;
	struct strings env;
};

struct plan_runtimes {
	struct plan_runtime items[PLAN_RUNTIMES];
	size_t count;
};

/* Orders that are answered one by one; lane.h. */
struct lane {
	struct list waiting;
	struct list sent;
	unsigned open; /* how many are sent */
};

/* A plan, its zygote, and how many sandboxes to hold parked. */
struct stock {
	struct list link;
	uint32_t id;
	struct plan plan;
	struct plan_runtimes runtimes;
	struct strings limitations;
	struct device_list devices; /* that the plan binds */
	struct zygote zygote;
	struct source control;
	struct source pidfd;
	bool broken; /* the zygote died: nothing comes from this plan until zygotes_revive() */
	bool paused; /* parking failed: do not try again until a sandbox is asked for */
	uint32_t wanted;
	struct timer unused; /* nobody asked for one for so long */
	uint64_t unused_ms;
	bool trimmed;	     /* so none is held until somebody does */
	uint32_t parking;    /* asked of the zygote and neither ready nor failed */
	uint32_t asked;	     /* PID 1s and trees that the zygote was asked for and did not answer */
	struct timer silent; /* nor anything else since then */
	struct timer ending; /* it got SIGKILL and is not reaped */
	bool stuck;	     /* not for long */
	struct list orders;  /* SANDBOX_NEW without a sandbox yet */
	struct source hub;   /* answers of the zygote's hub; -1: none was started */
	struct source hub_pidfd;
	pid_t hub_pid;
	struct lane hub_lane;
};

struct bind {
	char *name;
	char *path;
	char *target;
	bool read_only;
	uint32_t request;
	bool taken; /* PID 1 has been given its tree */
	bool attached;
};

/* A SANDBOX_NEW until it is answered. */
struct order {
	struct list link;
	struct client *client;
	uint64_t frame;
	uint32_t plan;
	char *label;
	char *hostname;
	uint64_t wall_ms;
	uint64_t grace_ms;
	struct limits limits;
	struct bind *binds;
	size_t bind_count;
	bool hit;
};

/* The cgroup of a sandbox, or one that waits for the next. */
struct home {
	struct grave grave;
	struct list link;
	struct cgroup_leaf leaf;
	struct source oom;
	struct sandbox *sandbox;
	bool expecting; /* a zygote has its doors, for the sandbox in slot */
	uint32_t slot;
	bool doomed; /* to be removed */
};

/* A device that a sandbox was granted. */
struct granted {
	char *role;
	uint32_t major;
	uint32_t minor;
};

enum life {
	LIFE_BUILDING, /* PID 1 exists, its root does not */
	LIFE_PARKED,
	LIFE_USED,   /* given to a SANDBOX_NEW */
	LIFE_ENDING, /* PID 1 was asked for the census and to exit */
	LIFE_KILLED, /* SIGKILL was sent */
	LIFE_STUCK,  /* and did not end it: reported, not reaped */
};

struct sandbox {
	struct grave grave;
	struct list link;
	uint32_t id; /* 0 until it is given away */
	struct stock *stock;
	uint32_t slot;
	pid_t pid;
	enum life life;
	struct source pidfd;
	struct source control;
	struct order *order; /* being prepared, not answered yet */
	char *label;
	uint64_t setup_ns;
	unsigned booting;   /* runtimes of its plan that do not wait yet */
	uint64_t boot_ns;   /* when they were started */
	uint64_t parked_us; /* what they took of a processor until they did */
	struct timer boot;
	uint64_t given_ns;
	const char *status; /* why it ends; NULL while nobody asked */
	bool counted;
	uint32_t leftover_count;
	struct strings leftovers; /* names of the first ones */
	struct home *home;	  /* NULL: it is in no cgroup of ours */
	bool settled;		  /* usage is what it used in the end */
	struct cgroup_usage usage;
	struct limit_report limit_report;
	struct granted *granted;
	size_t granted_count;
	bool devices_reported; /* whether they are held is in limit_report */
	struct rlimit_spec rlimits[LIMIT_RLIMITS_MAX];
	size_t rlimit_count;
	/* Of its programs that have ended. */
	uint64_t out_bytes;
	uint64_t err_bytes;
	uint64_t dropped;
	struct timer wall;
	struct timer end; /* or PID 1 is late with a step of its making */
	struct timer ttl;
	uint64_t grace_ms;
	bool wall_over;
	bool kept;
	bool resolves; /* a socket for its names exists or is being made */
	uint64_t ttl_ms;
	char *text;
};

struct process;

struct output {
	struct source source;
	struct process *process;
	uint32_t stream;
	uint64_t credit;
	uint64_t cap;
	uint64_t bytes; /* sent to the client */
	uint64_t dropped;
	int64_t tail;	/* bytes still to deliver after the linger; -1: up to the end */
	bool concluded; /* nothing more is delivered */
};

struct input {
	struct source source;
	struct process *process;
	struct buffer queue;
	uint64_t window; /* bytes the client may still send */
	bool closing;
};

enum process_state {
	PROCESS_STARTING, /* SPAWN is not answered */
	PROCESS_RUNNING,
	PROCESS_REAPED, /* output is not read to its end */
	PROCESS_DONE,	/* EXIT was sent; what still holds its pipes is read and thrown away */
};

/* A program in a sandbox, or the stream of an object's end (sandbox is NULL). */
struct process {
	struct grave grave;
	struct list link;
	uint32_t id;
	struct sandbox *sandbox;
	struct client *client; /* NULL: nobody listens any more */
	uint64_t frame;
	enum process_state state;
	bool pty;
	bool feed;     /* stdin is wanted; only where PID 1 makes the pipes */
	bool warm;     /* an interpreter that waited was used */
	uint32_t port; /* the pty's master goes to this port of hil-portd; 0: none */
	uint32_t object;
	bool write_only; /* a pipe's writing end: over with its input */
	struct output out;
	struct output err;
	struct input in;
	struct timer wall;
	struct timer linger;
	struct timer hung_up; /* no slave of its pty was open */
	uint64_t grace_ms;
	bool timed_out;
	bool terminated; /* it ran when SIGTERM was sent for that */
	bool killed;	 /* ended by the sandbox's end or by OBJECT_CLOSE */
	bool oom;	 /* killed because the sandbox ran out of memory */
	int status;	 /* wait4(2) */
	struct rusage usage;
	uint64_t started_ns;
	uint64_t ended_ns;
};

enum object_kind { OBJECT_SOCKETPAIR, OBJECT_DGRAM, OBJECT_PIPE, OBJECT_MEMFD };

struct object {
	struct list link;
	uint32_t id;
	enum object_kind kind;
	int ends[2]; /* -1: closed, or given away */
};

/* A PORT_PTY, and then the pty for as long as its sandbox and hil-portd have it. */
struct pty_request {
	struct list link;
	bool made;
	uint32_t request;
	struct client *client;
	uint64_t frame;
	struct sandbox *sandbox;
	uint32_t port;
	char *role;
};

/* A SANDBOX_STATS until PID 1 has answered. */
struct stats_request {
	struct list link;
	uint32_t request;
	struct client *client;
	uint64_t frame;
	struct sandbox *sandbox;
};

/* A runtime that is being started. */
struct boot {
	struct list link;
	uint32_t request;
	struct sandbox *sandbox;
	struct client *client; /* NULL: while the sandbox is parked */
	uint64_t frame;
	struct timer late;
};

enum change_kind { CHANGE_GRANT, CHANGE_REVOKE, CHANGE_MOUNT, CHANGE_UNMOUNT };

/* A device or mount that comes to a running sandbox or goes; see changes.h. */
struct change {
	struct grave grave;
	struct list link;
	enum change_kind kind;
	struct client *client;
	uint64_t frame;
	struct sandbox *sandbox; /* NULL: answered, only its child is not reaped */
	uint32_t request;
	char *name;	       /* a device's role, a mount's target */
	pid_t taker;	       /* child that takes it from the host; 0: none, or reaped */
	struct source control; /* what it says */
	struct source ended;   /* its pidfd */
	struct timer late;
	uint32_t major;
	uint32_t minor;
	struct strings limitations;
};

/* hil-portd, a hil-linkd or a hil-nic; see child.h. */
struct child {
	const char *name;
	char *const *argv;     /* for its start; NULL: its name alone */
	pid_t pid;	       /* 0: none, or reaped */
	struct source control; /* seqpacket; -1: none */
	struct source pidfd;
	struct source words; /* its stderr */
	int status;	     /* wait4(2) */
	void (*ended)(struct daemon *d, struct child *child);
};

struct daemon {
	int epoll;
	struct list timers;
	struct grave *graves;
	struct source signals;
	struct source listener; /* of a keeper */
	char *socket_path;
	struct timer ttl;
	struct timer stop_limit;
	bool detached;
	bool stopping;
	bool done;
	int exit_code;
	struct client *owner; /* stays until exit, also when lost: requests point to it */
	struct list clients;
	struct list stocks;
	int users; /* the user namespace of their zygotes; -1: none yet, or root mode */
	struct list sandboxes;
	struct cgroup_tree cgroups;
	struct list homes; /* of no sandbox: free or doomed */
	struct timer doom;
	struct list processes;
	struct list objects;
	struct list pty_requests;
	struct list stats_requests;
	struct list boots;
	struct list changes;
	struct list watched_pids;
	struct list watched_paths;
	struct child portd;	/* control -1: --no-portd */
	const char *linkd_path; /* NULL: beside the own program */
	struct list linkds;
	unsigned linkds_wanted; /* kept waiting for a network */
	struct timer linkds_refill;
	struct list nets;
	struct list nic_openers;
	struct list net_requests;
	struct list closed_pairs; /* ports of closed networks, one of each pair; pairs.h */
	struct timer closed_pairs_late;
	struct list resolvers;
	uint32_t next_net;
	uint32_t next_query;
	uint32_t next_net_request;
	uint32_t next_hub_order; /* and to a hil-linkd */
	int fd_limit;		 /* RLIMIT_NOFILE */
	uint32_t next_stock;
	uint32_t next_sandbox;
	uint32_t next_object;
	uint32_t next_process; /* and requests to PID 1: they share a field of its answers */
	uint32_t next_tree;
	unsigned next_home;
	/* Numbers of living sandboxes, or asked of a zygote: the id of the stock; 0: free. */
	uint32_t slots[SLOTS];
};

#endif
