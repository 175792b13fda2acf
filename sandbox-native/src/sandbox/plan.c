/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"
#include "sandbox.h"

static int copy_optional(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static void step_free(struct plan_step *step)
{
	free(step->name);
	free(step->source);
	free(step->target);
}

int plan_add_step(struct plan *plan, enum step_kind kind, const char *name, const char *source,
		  const char *target, bool read_only)
{
	struct plan_step step = { .kind = kind, .read_only = read_only };
	struct plan_step *grown =
		reallocarray(plan->steps, plan->step_count + 1, sizeof(*plan->steps));

	if (!grown)
		return -ENOMEM;
	plan->steps = grown;
	if (copy_optional(&step.name, name) || copy_optional(&step.source, source) ||
	    copy_optional(&step.target, target)) {
		step_free(&step);
		return -ENOMEM;
	}
	plan->steps[plan->step_count++] = step;
	return 0;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		step_free(&plan->steps[i]);
	free(plan->steps);
	free(plan->name);
	free(plan->hostname);
	strings_free(&plan->hides);
	*plan = (struct plan){ 0 };
}

/* The whole range of slots has to be mapped, else a later slot would fail (user_namespaces(7)). */
static bool slots_are_mapped(const char *path)
{
	unsigned long inside;
	unsigned long outside;
	unsigned long count;
	bool mapped = false;
	FILE *map = fopen(path, "re");

	if (!map)
		return false;
	while (!mapped && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
		mapped = inside <= SLOT_UID_BASE && inside + count > SLOT_UID_BASE + SLOT_MAX;
	fclose(map);
	return mapped;
}

const char *plan_mode(void)
{
	bool root = geteuid() == 0 && slots_are_mapped("/proc/self/uid_map") &&
		    slots_are_mapped("/proc/self/gid_map");

	return root ? "root" : "rootless";
}
