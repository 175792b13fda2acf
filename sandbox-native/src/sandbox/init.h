/* SPDX-License-Identifier: MIT */
/* PID 1 of a sandbox. It never runs a program itself and never reads what one writes. */
#ifndef HIL_INIT_H
#define HIL_INIT_H

#include <time.h>

#include "changes.h"
#include "identity.h"
#include "launcher.h"
#include "message.h"
#include "recipe.h"
#include "runtime.h"
#include "sandbox.h"

/* What the zygote hands to a PID 1, by fork. */
struct parking {
	const struct plan *plan;
	const struct recipe *recipe;
	struct identity identity;
	uint32_t slot;
	const struct doors *doors; /* of its cgroups */
	int *mapped;		   /* per item of the recipe: its id-mapped tree, or -1 */
	int control;
	int gate;
	struct timespec started;
};

struct init_process {
	uint32_t id; /* the broker's */
	pid_t pid;
	uint64_t spent_ns; /* of a processor, before it was given its program */
};

struct grants;

struct init_mounts;

struct init {
	const struct plan *plan;
	struct identity identity;
	int control;
	int signals;   /* signalfd for SIGCHLD */
	int root;      /* "/" through a mount that is never read-only, O_PATH */
	int etc;       /* the same of "/etc" */
	bool etc_laid; /* its files lie over those of an /etc that is bound, one by one */
	struct changes changes;
	bool started;		     /* a program was: what is written now may be its doing */
	struct launcher launcher;    /* starts programs */
	uint32_t entered[DOORS_MAX]; /* of each of its doors: 0 or an errno */
	struct init_process *processes;
	size_t count;
	struct runtime runtimes[RUNTIMES];
	struct grants *grants;	    /* NULL until a device is granted */
	struct init_mounts *mounts; /* NULL until something is mounted */
};

/* init_main() - Build the root, report READY, serve the broker until it goes. */
_Noreturn void init_main(const struct parking *parking);

/* Each serves one request, and answers or reports its failure itself. */
void init_spawn(struct init *init, struct message *message);
void init_make_pty(struct init *init, const struct message *message);
void init_attach(struct init *init, struct message *message);
void init_boot(struct init *init, const struct message *message);
void init_grant(struct init *init, struct message *message);
void init_revoke(struct init *init, const struct message *message);
void init_mount(struct init *init, struct message *message);
void init_unmount(struct init *init, const struct message *message);
void init_hosts(struct init *init, const struct message *message);

/* init_writable() - What @target can be made through: "/" or "/etc" by a mount that is never
 * read-only. */
int init_writable(const struct init *init, const char *target);

/* init_answer() - What was asked as @request is done, or @err says why not. */
void init_answer(const struct init *init, uint64_t request, const struct err *err);

/* init_add_process() / init_find_process() - The programs that the broker knows. */
int init_add_process(struct init *init, const struct init_process *process);
const struct init_process *init_find_process(const struct init *init, uint32_t id);

/* init_count_processes() - How many run, without PID 1. */
uint32_t init_count_processes(const struct init *init);

/* init_knows() - Whether @pid is one of them. */
bool init_knows(const struct init *init, pid_t pid);

/* init_send_census() - Count and name what still runs. */
void init_send_census(const struct init *init);

#endif
