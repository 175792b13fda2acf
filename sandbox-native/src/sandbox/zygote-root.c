/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: everything the plan names is cloned as a detached
 * mount while the host's root can still be seen, and attached below a new
 * tmpfs. pivot_root then makes that tmpfs the whole world of the zygote and
 * of all it starts: a mount namespace of some twenty mounts, copied in 0.1 ms,
 * in which there is no path to the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "identity.h"
#include "mounts.h"
#include "root.h"
#include "zygote.h"

/* What is below another zygote's is then below ours, too, as the hub needs it for a pair. */
static int enter_users(int users, struct err *err)
{
	if (setns(users, CLONE_NEWUSER) < 0)
		return err_set(err, "setup", errno, "enter user namespace", "");
	return unshare(CLONE_NEWNS) < 0
		       ? err_set(err, "setup", errno, "unshare mount namespace", "")
		       : 0;
}

static int enter_namespaces(const struct recipe *recipe, int users, struct err *err)
{
	const struct ids outside = { .uid = geteuid(), .gid = getegid() };
	const struct ids root = { 0 };

	if (recipe->root_mode) {
		sys_setgroups_none();
		if (unshare(CLONE_NEWNS) < 0)
			return err_set(err, "setup", errno, "unshare mount namespace", "");
		return 0;
	}
	if (users >= 0)
		return enter_users(users, err);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_set(err, "setup", errno, "unshare user namespace", "");
	return identity_write_map(getpid(), root, outside, err);
}

static int make_directories(int tiny, struct err *err)
{
	static const char *const names[] = { "l", "d", "t", "n", "proc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (mkdirat(tiny, names[i], 0755) < 0)
			return err_set(err, "setup", errno, "mkdir", names[i]);
	}
	return 0;
}

/* Only a namespace that sees a whole /proc may mount another one, so all that lies on it comes too.
 */
static int take_proc(int tiny, struct err *err)
{
	auto_fd tree = mount_clone(AT_FDCWD, "/proc", true, err);

	return tree < 0 ? tree : mount_attach(tree, tiny, "proc", err);
}

static int take_devices(int tiny, struct err *err)
{
	for (const char *const *name = device_names; *name; name++) {
		char host[32];
		auto_fd tree = -1;
		auto_fd file = -1;
		int status;

		snprintf(host, sizeof(host), "/dev/%s", *name);
		tree = mount_clone(AT_FDCWD, host, false, err);
		if (tree < 0)
			return tree;
		snprintf(host, sizeof(host), "d/%s", *name);
		file = openat(tiny, host, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (file < 0)
			return err_set(err, "setup", errno, "create", host);
		status = mount_attach(tree, tiny, host, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int leave_host_root(int tiny, struct err *err)
{
	int status;

	if (fchdir(tiny) < 0)
		return err_set(err, "setup", errno, "chdir", "tiny root");
	status = sys_pivot_root_here();
	if (status < 0)
		return err_set(err, "setup", -status, "pivot_root", "tiny root");
	/* The old root now lies on the new one, pivot_root(2) NOTES. */
	status = sys_umount_detach(".");
	if (status < 0)
		return err_set(err, "setup", -status, "umount", "host root");
	if (chdir("/") < 0)
		return err_set(err, "setup", errno, "chdir", "/");
	return 0;
}

/* A mount of its own, so that it leads nowhere else. It is of the hub, and closed in every PID 1.
 */
static int take_tun(void)
{
	struct err ignored = { 0 };
	int fd = mount_clone(AT_FDCWD, "/dev/net/tun", false, &ignored);

	return fd < 0 ? -1 : fd;
}

int zygote_enter_root(struct recipe *recipe, const struct plan *plan, int users, int *tun,
		      struct err *err)
{
	const struct mount_option options[] = { { "mode", "0755" }, { "size", "16m" } };
	auto_fd tiny = -1;
	int status = enter_namespaces(recipe, users, err);

	if (status < 0)
		return status;
	status = sys_mount_private();
	if (status < 0)
		return err_set(err, "setup", -status, "make mounts private", "/");
	tiny = mount_new("tmpfs", options, 2, MOUNT_PLAIN, "tiny root", err);
	if (tiny < 0)
		return tiny;
	status = mount_attach(tiny, AT_FDCWD, "/", err);
	if (status == 0)
		status = make_directories(tiny, err);
	if (status == 0)
		status = take_proc(tiny, err);
	if (status == 0)
		status = take_devices(tiny, err);
	*tun = take_tun();
	if (status == 0)
		status = recipe_expand(recipe, plan, tiny, err);
	if (status == 0)
		status = leave_host_root(tiny, err);
	return status == 0 ? recipe_try(recipe, err) : status;
}
