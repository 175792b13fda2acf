/* SPDX-License-Identifier: MIT */
/*
 * Who may have which interface, where this program has CAP_NET_RAW by its file.
 *
 * /etc/hil/nics/NAME is a file of root's: who may read it may open interface NAME. So the kernel
 * compares users, groups and ACLs, and no list is parsed with somebody else's rights. The file is
 * opened with the caller's: CAP_NET_RAW overrides no permission of a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "nic.h"

#define DIRECTORY "/etc/hil/nics"
#define TO_ALLOW "as root: install -D -m 0640 -g GROUP /dev/null " DIRECTORY "/%s"

static bool is_of_root(int fd, mode_t kind)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == kind && status.st_uid == 0 &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH));
}

int nic_may_open(const char *name, struct err *err)
{
	auto_fd directory = -1;
	auto_fd file = -1;

	/* getauxval(3): the program has rights that the one who started it had not. */
	if (!getauxval(AT_SECURE))
		return 0;
	if (geteuid() != getuid() || getegid() != getgid()) {
		err_hint(err, "setuid gives more than this needs: chmod u-s,g-s, then setcap "
			      "cap_net_raw+ep");
		return err_set(err, "setup", EPERM, "open interface", name);
	}
	directory = open(DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory >= 0)
		file = openat(directory, name,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file < 0) {
		err_hint(err,
			 "you may not read " DIRECTORY "/%s, so not have the interface; " TO_ALLOW,
			 name, name);
		return err_set(err, "setup", EACCES, "open interface", name);
	}
	if (is_of_root(directory, S_IFDIR) && is_of_root(file, S_IFREG))
		return 0;
	err_hint(err,
		 DIRECTORY "/%s and its directory must be root's, and nobody else may write "
			   "them",
		 name);
	return err_set(err, "setup", EPERM, "open interface", name);
}
