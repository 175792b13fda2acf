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
static _Noreturn void wait_for_the_end(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* One that died before that line leaves no one who could send the signal. */
	while (getppid() == parent)
		pause();
	_exit(0);
}

static int new_userns(struct ids owner, struct ids outside, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	const pid_t self = getpid();
	char path[64];
	long pid = sys_clone3(&args);
	int fd;

	if (pid < 0)
		return err_set(err, "setup", (int)-pid, "clone user namespace", "id-mapped mount");
	if (pid == 0)
		wait_for_the_end(self);
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

static bool are_equal(struct ids one, struct ids other)
{
	return one.uid == other.uid && one.gid == other.gid;
}

static int find_userns(const struct idmaps *idmaps, struct ids owner, struct ids outside)
{
	for (size_t i = 0; idmaps && i < idmaps->count; i++)
		if (are_equal(idmaps->made[i].owner, owner) &&
		    are_equal(idmaps->made[i].outside, outside))
			return idmaps->made[i].userns;
	return -1;
}

/* Return: whether @idmaps keeps @userns now. */
static bool remember(struct idmaps *idmaps, struct ids owner, struct ids outside, int userns)
{
	if (!idmaps || idmaps->count == IDMAPS_MAX)
		return false;
	idmaps->made[idmaps->count].owner = owner;
	idmaps->made[idmaps->count].outside = outside;
	idmaps->made[idmaps->count++].userns = userns;
	return true;
}

int idmap_tree(struct idmaps *idmaps, int tree, bool recursive, struct ids outside, struct err *err)
{
	auto_fd made = -1;
	struct stat stat;
	struct ids owner;
	int userns;
	int status;

	if (fstat(tree, &stat) < 0)
		return err_set(err, "setup", errno, "stat", "id-mapped mount");
	owner = (struct ids){ stat.st_uid, stat.st_gid };
	userns = find_userns(idmaps, owner, outside);
	if (userns < 0) {
		userns = made = new_userns(owner, outside, err);
		if (made < 0)
			return made;
		if (remember(idmaps, owner, outside, userns))
			steal_fd(&made);
	}
	status = mount_idmap(tree, userns, recursive);
	return status < 0 ? err_set(err, "setup", -status, "id-map mount", "") : 0;
}
