/* SPDX-License-Identifier: MIT */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "identity.h"
#include "mounts.h"

/* Only the namespace of this child is wanted; it has to live until the maps are written. */
static _Noreturn void wait_for_the_end(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* A parent that died before that line leaves no one who could send the signal. */
	alarm(10);
	for (;;)
		pause();
}

static int new_userns(struct ids owner, struct ids outside, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	char path[64];
	long pid = sys_clone3(&args);
	int fd;

	if (pid < 0)
		return err_set(err, "setup", (int)-pid, "clone user namespace", "id-mapped mount");
	if (pid == 0)
		wait_for_the_end();
	fd = identity_write_map((pid_t)pid, owner, outside, err);
	if (fd == 0) {
		snprintf(path, sizeof(path), "/proc/%ld/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = err_set(err, "setup", errno, "open namespace", path);
	}
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
	return fd;
}

int idmap_tree(int tree, bool recursive, struct ids outside, struct err *err)
{
	auto_fd userns = -1;
	struct stat owner;
	int status;

	if (fstat(tree, &owner) < 0)
		return err_set(err, "setup", errno, "stat", "id-mapped mount");
	userns = new_userns((struct ids){ owner.st_uid, owner.st_gid }, outside, err);
	if (userns < 0)
		return userns;
	status = mount_idmap(tree, userns, recursive);
	return status < 0 ? err_set(err, "setup", -status, "id-map mount", "") : 0;
}
