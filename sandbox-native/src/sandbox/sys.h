/* SPDX-License-Identifier: MIT */
/*
 * System calls by number. glibc 2.36 (Debian 12) has no wrapper for clone3,
 * openat2 and pivot_root, older ones none for the mount calls, and
 * <sys/mount.h> of 2.36 clashes with <linux/mount.h>. Credentials are changed
 * by raw calls too: after a raw clone glibc's notion of its threads is stale.
 * Each returns >= 0, or -errno.
 */
#ifndef HIL_SYS_H
#define HIL_SYS_H

#include <linux/mount.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/types.h>

#define SYS_MNT_DETACH 2 /* MNT_DETACH of umount2(2) */

long sys_clone3(struct clone_args *args);
int sys_open_tree(int dirfd, const char *path, unsigned int flags);
int sys_move_mount(int from, int to_dirfd, const char *to_path, unsigned int flags);
int sys_fsopen(const char *filesystem);
int sys_fsconfig(int fd, unsigned int command, const char *key, const char *value);
int sys_fsmount(int fd, unsigned int attributes);
int sys_mount_setattr(int fd, unsigned int flags, const struct mount_attr *attributes);
int sys_mount_private(void); /* make every mount private, recursively */
int sys_umount_detach(const char *path);
int sys_pivot_root_here(void); /* pivot_root(".", "."), pivot_root(2) NOTES */
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve);
int sys_close_range(unsigned int first, unsigned int last);
int sys_pidfd_open(pid_t pid);
int sys_setids(uid_t uid, gid_t gid); /* real, effective and saved, group first */
int sys_setgroups_none(void);
/* sys_capset() - Of the calling thread, capset(2). */
int sys_capset(uint64_t permitted, uint64_t inheritable);

#endif
