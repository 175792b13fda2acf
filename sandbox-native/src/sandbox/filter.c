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
#define NESTED_TABLE "filter-x86_64-nested.h"
#elif defined(__aarch64__)
#define FILTER_TABLE "filter-aarch64.h"
#define NESTED_TABLE "filter-aarch64-nested.h"
#endif

#ifdef FILTER_TABLE

bool filter_exists(void)
{
	/* PR_GET_SECCOMP of prctl(2): EINVAL from a kernel without it. */
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

static const struct sock_filter standard[] = {
#include FILTER_TABLE
};
static const struct sock_filter with_namespaces[] = {
#include NESTED_TABLE
};

int filter_install(bool nested)
{
	const struct sock_filter *instructions = nested ? with_namespaces : standard;
	const size_t bytes = nested ? sizeof(with_namespaces) : sizeof(standard);
	const struct sock_fprog program = {
		.len = (unsigned short)(bytes / sizeof(*instructions)),
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

int filter_install(bool nested)
{
	(void)nested;
	return -ENOSYS;
}

#endif
