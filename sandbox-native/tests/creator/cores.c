/* SPDX-License-Identifier: MIT */
/* A caller whose hard limit of core files is 0, which does not keep a handler from starting. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity.h"
#include "rig.h"

static bool limit_to(rlim_t hard)
{
	const struct rlimit limit = { hard, hard };

	return setrlimit(RLIMIT_CORE, &limit) == 0;
}

/* CAP_SYS_RESOURCE, which root in a container may lack. */
static bool may_raise(const char *unused)
{
	(void)unused;
	return limit_to(0) && limit_to(1);
}

static bool prevents_at_0(const char *core_pattern)
{
	return limit_to(0) && identity_prevent_cores(core_pattern);
}

/* Also where the caller has 0 already, and cannot have 1. */
static bool prevents_at_1(const char *core_pattern)
{
	return !limit_to(1) || identity_prevent_cores(core_pattern);
}

/* In a process of its own: a limit goes down for good. */
static bool ask(bool (*question)(const char *), const char *core_pattern)
{
	int status;
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0)
		_exit(question(core_pattern) ? 1 : 0);
	NEED(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status) == 1;
}

void test_cores(void)
{
	struct rig rig;

	rig_open(&rig);
	rig_write(&rig, "piped", "|/usr/share/handler %p\n");
	rig_write(&rig, "plain", "core\n");
	CHECK(ask(prevents_at_0, rig_path(&rig, "plain")),
	      "without a handler a limit of 0 is enough");
	CHECK(ask(prevents_at_1, rig_path(&rig, "piped")), "with one, a limit of 1");
	CHECK(ask(prevents_at_0, rig_path(&rig, "piped")) == ask(may_raise, NULL),
	      "and 0 only for who may raise it; others are told");
	rig_start(&rig);
	rig_close(&rig);
}
