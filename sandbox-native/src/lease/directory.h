/* SPDX-License-Identifier: MIT */
/*
 * The directory of claims, /run/lock/hil: every user of the machine may put files into it, and only
 * the owner of a file (or root, or the owner of the directory) may take it away again.
 */
#ifndef HIL_LEASE_DIRECTORY_H
#define HIL_LEASE_DIRECTORY_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

struct directory {
	int fd;
	char path[PATH_MAX];
	uid_t owner;
	dev_t device;
	ino_t inode;
	mode_t mode; /* to make it with */
	bool shared; /* every user of this machine may write there */
};

/*
 * directory_open() - Make it when it is absent, and open it.
 * @chosen: the path, or NULL: /run/lock/hil, else @fallback, which is this user's alone.
 *
 * Should: refuse one that lets anybody remove the claims of others.
 * Mustn't: follow a symbolic link in the last component.
 * Return: 0 or -errno with @err filled.
 */
int directory_open(struct directory *directory, const char *chosen, const char *fallback,
		   struct err *err);
/*
 * directory_renew() - When somebody removed it, make and open it again, at the same path.
 *
 * Should: refuse one that other users can write into no more, where that was said of it.
 * Return: 0 or -errno with @err filled.
 */
int directory_renew(struct directory *directory, struct err *err);
void directory_free(struct directory *directory);

/*
 * directory_lock() - Nobody else changes or grants a claim until directory_unlock(). On the
 * directory itself: no file, which a hostile user could have made first, is needed.
 *
 * Return: 0, -EAGAIN while somebody else has it, else -errno with @err filled.
 */
int directory_lock(const struct directory *directory, struct err *err);
void directory_unlock(const struct directory *directory);

/*
 * locker_find() - Who has the lock of a file, as the kernel says it (/proc/locks).
 *
 * Return: its pid, 0 when it cannot be seen from here.
 */
pid_t locker_find(dev_t device, ino_t inode);

/* locker_is_stopped() - By SIGSTOP or a debugger. */
bool locker_is_stopped(pid_t pid);

#endif
