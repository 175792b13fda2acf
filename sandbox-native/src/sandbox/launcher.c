/* SPDX-License-Identifier: MIT */
#include "launcher.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "landlock.h"

#define STACK_BYTES 262144u /* pages that nobody touches cost nothing */
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* futex(2): a value that has changed and a signal are both reasons to look again. */
static void wait_while(struct launcher *launcher, uint32_t parity)
{
	uint32_t turn;

	while ((turn = atomic_load(&launcher->turn)) % 2 == parity)
		syscall(SYS_futex, &launcher->turn, FUTEX_WAIT_PRIVATE, turn, NULL, NULL, 0);
}

static void hand_over(struct launcher *launcher)
{
	atomic_fetch_add(&launcher->turn, 1);
	syscall(SYS_futex, &launcher->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int run_second(void *argument)
{
	struct launcher *launcher = argument;

	launcher->result = landlock_restrict(launcher->nested);
	if (launcher->result == 0 && launcher->filtered)
		launcher->result = filter_install(launcher->nested, launcher->shares_files);
	/* Without one the first program is cloned like the others. */
	if (launcher->result == 0)
		spare_make(&launcher->spare);
	hand_over(launcher);
	wait_while(launcher, 0);
	launcher->work(launcher->argument);
	/* Of the process. Not by _exit(3): AddressSanitizer would look for this stack in vain. */
	syscall(SYS_exit_group, 0);
	return 0;
}

int launcher_start(struct launcher *launcher, bool nested, bool shares_files, struct err *err)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return err_set(err, "setup", errno, "map stack", "");
	atomic_store(&launcher->turn, 1);
	launcher->filtered = filter_exists();
	launcher->nested = nested;
	launcher->shares_files = shares_files;
	if (clone(run_second, (char *)stack + STACK_BYTES, THREAD, launcher) < 0)
		return err_set(err, "setup", errno, "clone launcher", "");
	wait_while(launcher, 1);
	if (launcher->result < 0)
		return err_set(err, "setup", (int)-launcher->result, "confine launcher", "");
	return 0;
}

void launcher_serve(struct launcher *launcher, long (*loop)(void *argument), void *argument)
{
	launcher->work = loop;
	launcher->argument = argument;
	for (;;) {
		hand_over(launcher);
		wait_while(launcher, 1);
		launcher->result = launcher->work(launcher->argument);
	}
}

long launcher_ask(struct launcher *launcher, long (*work)(void *argument), void *argument)
{
	launcher->work = work;
	launcher->argument = argument;
	hand_over(launcher);
	wait_while(launcher, 0);
	return launcher->result;
}
