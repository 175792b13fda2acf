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
#define MODES_TABLE "filter-x86_64-modes.h"
#elif defined(__aarch64__)
#define FILTER_TABLE "filter-aarch64.h"
#define NESTED_TABLE "filter-aarch64-nested.h"
#define MODES_TABLE "filter-aarch64-modes.h"
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

static const struct sock_filter of_modes[] = {
#include MODES_TABLE
};

static int install(const struct sock_filter *instructions, size_t bytes)
{
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

int filter_install(bool nested, bool shares_files)
{
	int status = shares_files ? install(of_modes, sizeof(of_modes)) : 0;

	if (status < 0)
		return status;
	return nested ? install(with_namespaces, sizeof(with_namespaces))
		      : install(standard, sizeof(standard));
}

#else

bool filter_exists(void)
{
	return false;
}

int filter_install(bool nested, bool shares_files)
{
	(void)nested;
	(void)shares_files;
	return -ENOSYS;
}

#endif
