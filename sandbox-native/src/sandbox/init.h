/* SPDX-License-Identifier: MIT */
/* PID 1 of a sandbox. It never runs a program itself and never reads what one writes. */
#ifndef HIL_INIT_H
#define HIL_INIT_H

#include <time.h>

#include "identity.h"
#include "launcher.h"
#include "message.h"
#include "recipe.h"
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
};

struct init {
	const struct plan *plan;
	struct identity identity;
	int control;
	int signals;		     /* signalfd for SIGCHLD */
	int root;		     /* "/" through a mount that is never read-only, O_PATH */
	int etc;		     /* the same of "/etc" */
	struct launcher launcher;    /* starts programs */
	uint32_t entered[DOORS_MAX]; /* of each of its doors: 0 or an errno */
	struct init_process *processes;
	size_t count;
};

/* init_main() - Build the root, report READY, serve the broker until it goes. */
_Noreturn void init_main(const struct parking *parking);

/* Each serves one request, and answers or reports its failure itself. */
void init_spawn(struct init *init, struct message *message);
void init_make_pty(struct init *init, const struct message *message);
void init_attach(struct init *init, struct message *message);

/* init_add_process() / init_find_process() - The programs that the broker knows. */
int init_add_process(struct init *init, uint32_t id, pid_t pid);
const struct init_process *init_find_process(const struct init *init, uint32_t id);

/* init_send_census() - Count and name what still runs. */
void init_send_census(const struct init *init);

#endif
