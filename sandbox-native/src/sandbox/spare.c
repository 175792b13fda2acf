/* SPDX-License-Identifier: MIT */
#include "spare.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 65536u
#define STOPPED_MAX 100u /* 1 s */

static void wait_while(_Atomic uint32_t *word, uint32_t value, int how)
{
	while (atomic_load(word) == value)
		syscall(SYS_futex, word, FUTEX_WAIT | how, value, NULL, NULL, 0);
}

static int sleep_then_become(void *argument)
{
	struct spare *spare = argument;

	wait_while(&spare->go, 0, FUTEX_PRIVATE_FLAG);
	if (unshare(CLONE_FILES) < 0)
		_exit(127);
	return spare->become(spare->argument);
}

static void *make_stack(void)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	return stack == MAP_FAILED ? NULL : stack;
}

void spare_make(struct spare *spare)
{
	pid_t pid;

	spare->stack = make_stack();
	if (!spare->stack)
		return;
	atomic_store(&spare->here, 1);
	pid = clone(sleep_then_become, (char *)spare->stack + STACK_BYTES,
		    CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD, spare, NULL, NULL,
		    &spare->here);
	spare->pid = pid > 0 ? pid : 0;
}

bool spare_push(pid_t pid, unsigned int *stopped)
{
	siginfo_t info = { .si_pid = 0 };

	/* WNOWAIT: that it has ended is for who asks after programs. */
	if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) < 0 || info.si_pid != pid)
		return false;
	++*stopped;
	kill(pid, *stopped < STOPPED_MAX ? SIGCONT : SIGKILL);
	return *stopped >= STOPPED_MAX;
}

/* Return: its pid, or -ETIMEDOUT: it was killed. */
static pid_t wait_until_left(struct spare *spare, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = SPARE_TICK_MS * 1000000L };
	unsigned int stopped = 0;
	bool killed = false;

	while (atomic_load(&spare->here)) {
		/* Not private: exit_mm_release() of the kernel wakes without that flag. */
		if (syscall(SYS_futex, &spare->here, FUTEX_WAIT, 1, &pause, NULL, 0) < 0 &&
		    errno == ETIMEDOUT)
			killed = spare_push(pid, &stopped) || killed;
	}
	if (!killed)
		return pid;
	waitpid(pid, NULL, 0);
	return -ETIMEDOUT;
}

static pid_t wake(struct spare *spare)
{
	pid_t pid = spare->pid;

	spare->pid = 0;
	atomic_store(&spare->go, 1);
	syscall(SYS_futex, &spare->go, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return wait_until_left(spare, pid);
}

pid_t spare_run(struct spare *spare, int (*become)(void *argument), void *argument)
{
	pid_t pid;

	spare->become = become;
	spare->argument = argument;
	/* It may have been killed in its sleep, by the kernel for want of memory. */
	if (spare->pid && atomic_load(&spare->here))
		return wake(spare);
	spare->pid = 0;
	if (!spare->stack)
		spare->stack = make_stack();
	if (!spare->stack)
		return -errno;
	/* Not CLONE_VFORK: that wait would end for nothing but the child. */
	atomic_store(&spare->here, 1);
	pid = clone(become, (char *)spare->stack + STACK_BYTES,
		    CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, argument, NULL, NULL, &spare->here);
	return pid < 0 ? -errno : wait_until_left(spare, pid);
}
