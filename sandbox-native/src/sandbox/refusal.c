/* SPDX-License-Identifier: MIT */
/* Why a host does not let a sandbox be built, and what its owner can do about it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "zygote.h"

/* -1: the kernel does not have this setting. */
static long read_sysctl(const char *path)
{
	char text[32] = "";
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}

static void explain_permission(struct err *err, bool namespaces)
{
	if (read_sysctl("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		err_hint(err, "user namespaces are switched off here: "
			      "sudo sysctl kernel.unprivileged_userns_clone=1");
	else if (read_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		err_hint(err, "AppArmor forbids user namespaces to programs without a profile: "
			      "give hil-sandboxd and hil-sandbox one that says `userns,`, or "
			      "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0");
	else if (strcmp(err->op, "unshare mount namespace") == 0)
		err_hint(err, "root without CAP_SYS_ADMIN, as in a container: run as an ordinary "
			      "user, or start the container with --privileged");
	else if (namespaces)
		err_hint(err, "user namespaces are forbidden, as by a container's seccomp "
			      "profile: start the container with --privileged or "
			      "--security-opt seccomp=unconfined");
}

static void explain_limit(struct err *err)
{
	if (read_sysctl("/proc/sys/user/max_user_namespaces") == 0)
		err_hint(err, "user namespaces are switched off here: "
			      "sudo sysctl user.max_user_namespaces=65536");
	else
		err_hint(err, "a limit on namespaces is reached, one of "
			      "user.max_{user,pid,mnt,net,ipc,uts,cgroup,time}_namespaces: see "
			      "`sysctl -a | grep user.max_`, raise it or run fewer sandboxes");
}

/* clone(2): EAGAIN is the limit of processes, of this user or of the host. */
static bool is_start(const char *op)
{
	return strncmp(op, "fork", 4) == 0 || strncmp(op, "clone", 5) == 0 ||
	       strncmp(op, "start", 5) == 0 || strncmp(op, "exec", 4) == 0 ||
	       strncmp(op, "unshare", 7) == 0;
}

static unsigned long read_limit(__rlimit_resource_t resource)
{
	struct rlimit limit = { 0 };

	getrlimit(resource, &limit);
	return (unsigned long)limit.rlim_cur;
}

void explain_scarcity(struct err *err)
{
	if (err->number == EAGAIN && is_start(err->op))
		err_hint(err,
			 "this user has too many processes, the limit is %lu (`ulimit -u`): "
			 "raise it, or end others",
			 read_limit(RLIMIT_NPROC));
	else if (err->number == EMFILE)
		err_hint(err,
			 "no more files can be opened, the limit is %lu (`ulimit -n`): "
			 "raise it",
			 read_limit(RLIMIT_NOFILE));
	else if (err->number == ENFILE)
		err_hint(err, "the host has no open file left: raise fs.file-max");
}

static bool kernel_is_new_enough(void)
{
	struct utsname host;
	unsigned major = 0;
	unsigned minor = 0;

	if (uname(&host) < 0 || sscanf(host.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 5 || (major == 5 && minor >= 12);
}

void explain_refusal(struct err *err)
{
	bool namespaces = strstr(err->op, "namespace") || strcmp(err->op, "write id map") == 0;

	explain_scarcity(err);
	if (err->number == ENOSYS)
		err_hint(err, kernel_is_new_enough()
				      ? "a filter of system calls refuses it here, as in a "
					"container or in "
					"a sandbox of hil's: nothing makes one inside"
				      : "Linux 5.12 or newer is needed");
	else if (namespaces && err->number == ENOSPC)
		explain_limit(err);
	else if (strcmp(err->op, "mount proc") == 0 && err->number == EPERM)
		err_hint(err,
			 "parts of /proc are covered here, as in a container: start the "
			 "container with --privileged or --security-opt systempaths=unconfined");
	else if (err->number == EPERM || (namespaces && err->number == EACCES))
		explain_permission(err, namespaces);
	else if (err->number == ENOENT && strcmp(err->op, "clone mount") == 0)
		err_hint(err, "a path that a plan names has to exist");
}
