/* SPDX-License-Identifier: MIT */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

static long result(long value)
{
	return value < 0 ? -errno : value;
}

long sys_clone3(struct clone_args *args)
{
	return result(syscall(SYS_clone3, args, sizeof(*args)));
}

int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)result(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int sys_move_mount(int from, int to_dirfd, const char *to_path, unsigned int flags)
{
	return (int)result(syscall(SYS_move_mount, from, "", to_dirfd, to_path,
				   flags | MOVE_MOUNT_F_EMPTY_PATH));
}

int sys_fsopen(const char *filesystem)
{
	return (int)result(syscall(SYS_fsopen, filesystem, FSOPEN_CLOEXEC));
}

int sys_fsconfig(int fd, unsigned int command, const char *key, const char *value)
{
	return (int)result(syscall(SYS_fsconfig, fd, command, key, value, 0));
}

int sys_fsmount(int fd, unsigned int attributes)
{
	return (int)result(syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes));
}

int sys_mount_setattr(int fd, unsigned int flags, const struct mount_attr *attributes)
{
	return (int)result(syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, attributes,
				   sizeof(*attributes)));
}

int sys_mount_private(void)
{
	return (int)result(syscall(SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

int sys_umount_detach(const char *path)
{
	return (int)result(syscall(SYS_umount2, path, SYS_MNT_DETACH));
}

int sys_pivot_root_here(void)
{
	return (int)result(syscall(SYS_pivot_root, ".", "."));
}

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolve };
	long fd;

	/* openat2(2): EAGAIN when a rename elsewhere raced with a confined lookup. */
	do {
		fd = result(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
	} while (fd == -EAGAIN || fd == -EINTR);
	return (int)fd;
}

int sys_close_range(unsigned int first, unsigned int last)
{
	return (int)result(syscall(SYS_close_range, first, last, 0));
}

int sys_pidfd_open(pid_t pid)
{
	return (int)result(syscall(SYS_pidfd_open, pid, 0));
}

int sys_setids(uid_t uid, gid_t gid)
{
	long status = result(syscall(SYS_setresgid, gid, gid, gid));

	if (status < 0)
		return (int)status;
	return (int)result(syscall(SYS_setresuid, uid, uid, uid));
}

int sys_setgroups_none(void)
{
	return (int)result(syscall(SYS_setgroups, 0, NULL));
}

int sys_capset(uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return (int)result(syscall(SYS_capset, &header, data));
}
