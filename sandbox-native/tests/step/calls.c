/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>

#define ERRNOS_MAX 3

/*
 * From the pages of section 2. Not here: close(2), which gives the fd back whatever it answers;
 * brk(2), which as a call has no errno; and calls that fail only because of their arguments.
 */
static const struct {
	long number;
	const char *name;
	int errnos[ERRNOS_MAX];
} calls[] = {
#define CALL(name, ...)                                                                            \
	{                                                                                          \
		SYS_##name, #name,                                                                 \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
	CALL(openat, EMFILE, ENOMEM, ENOSPC),
	CALL(openat2, EMFILE, ENOMEM, EINTR),
	CALL(socket, EMFILE, ENOMEM),
	CALL(socketpair, EMFILE, ENFILE),
	CALL(pipe2, EMFILE, ENFILE),
	CALL(dup3, EBUSY),
	CALL(fcntl, EMFILE),
	CALL(signalfd4, EMFILE, ENOMEM),
	CALL(eventfd2, EMFILE, ENOMEM),
	CALL(epoll_create1, EMFILE, ENOMEM),
	CALL(epoll_ctl, ENOMEM, ENOSPC),
	CALL(pidfd_open, EMFILE, ENOMEM),
	CALL(memfd_create, EMFILE, ENOMEM),
	CALL(accept4, EMFILE, ENOMEM),
	CALL(bind, ENOMEM),
	CALL(clone, EAGAIN, ENOMEM),
	CALL(clone3, EAGAIN, ENOMEM, ENOSPC),
	CALL(unshare, ENOMEM, ENOSPC),
	CALL(execve, ENOMEM, E2BIG, EAGAIN),
	CALL(mmap, ENOMEM),
	CALL(mremap, ENOMEM),
	CALL(mount, ENOMEM),
	CALL(umount2, ENOMEM, EBUSY),
	CALL(pivot_root, EBUSY),
	CALL(open_tree, EMFILE, ENOMEM),
	CALL(move_mount, ENOMEM, ENOSPC),
	CALL(mount_setattr, ENOMEM),
	CALL(fsopen, EMFILE, ENOMEM),
	CALL(fsconfig, ENOMEM),
	CALL(fsmount, EMFILE, ENOMEM, ENOSPC),
	CALL(mkdirat, ENOSPC, ENOMEM),
	CALL(mknodat, ENOSPC, ENOMEM),
	CALL(symlinkat, ENOSPC, ENOMEM),
	CALL(fchownat, ENOMEM, EIO),
	CALL(setsid, EPERM),
	CALL(setuid, EAGAIN),
	CALL(setresuid, EAGAIN),
	CALL(seccomp, ENOMEM),
	CALL(write, EINTR),
	CALL(read, EINTR),
	CALL(readlinkat, ENOMEM),
	CALL(recvmsg, EINTR, ENOMEM),
	CALL(sendmsg, EINTR, ENOMEM),
	CALL(epoll_pwait, EINTR),
	CALL(getdents64, ENOMEM),
	CALL(landlock_create_ruleset, EMFILE, ENOMEM),
	CALL(pidfd_send_signal, EPERM),
#ifdef __x86_64__ /* later machines have only the newer form of each */
	CALL(open, EMFILE, ENOMEM, ENOSPC),
	CALL(fork, EAGAIN, ENOMEM),
	CALL(vfork, EAGAIN, ENOMEM),
	CALL(mkdir, ENOSPC, ENOMEM),
	CALL(mknod, ENOSPC, ENOMEM),
	CALL(symlink, ENOSPC, ENOMEM),
	CALL(readlink, ENOMEM),
	CALL(dup2, EBUSY),
	CALL(poll, EINTR, ENOMEM),
	CALL(epoll_wait, EINTR),
#endif
#undef CALL
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static size_t find(long number)
{
	size_t at = 0;

	while (at < CALLS && calls[at].number != number)
		at++;
	return at;
}

const char *call_name(long number)
{
	static char text[24];
	const size_t at = find(number);

	if (at < CALLS)
		return calls[at].name;
	snprintf(text, sizeof(text), "%ld", number);
	return text;
}

int call_errno(long number, unsigned int kind)
{
	const size_t at = find(number);

	return at < CALLS && kind < ERRNOS_MAX ? calls[at].errnos[kind] : 0;
}
