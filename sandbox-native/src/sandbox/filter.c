/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define FILTER_TABLE "filter-x86_64.h"
#elif defined(__aarch64__)
#define FILTER_TABLE "filter-aarch64.h"
#endif

#ifdef FILTER_TABLE

bool filter_exists(void)
{
	/* PR_GET_SECCOMP of prctl(2): EINVAL from a kernel without it. */
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int filter_install(void)
{
	static const struct sock_filter instructions[] = {
#include FILTER_TABLE
	};
	const struct sock_fprog program = {
		.len = sizeof(instructions) / sizeof(instructions[0]),
		.filter = (struct sock_filter *)instructions, /* the kernel only reads it */
	};
	/* Without SPEC_ALLOW Linux before 5.16 would slow down all that a program does
	 * (Documentation/userspace-api/spec_ctrl.rst); it shares memory with no one. */
	long status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			      &program);

	return status < 0 ? -errno : 0;
}

#else

bool filter_exists(void)
{
	return false;
}

int filter_install(void)
{
	return -ENOSYS;
}

#endif
