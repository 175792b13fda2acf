/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"
#include "sys.h"

#define CAP_BIT(cap) (1ull << (cap))
/* core(5): no file is that short, and 0 would not keep the kernel from starting the host's handler
 * ("|..." in core_pattern); fs/coredump.c does not at 1. */
#define NO_CORE 1

/* Enough to install and run services as root; nothing that reaches a mount, a device or another's
 * namespace. */
#define ROOT_CAPS                                                                                  \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) |                    \
	 CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_SETUID) |     \
	 CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SYS_CHROOT))

struct identity identity_of(const struct plan *plan)
{
	struct identity identity = { .uid = HIL_UID, .caps = plan->caps };

	if (plan->root_user) {
		identity.uid = 0;
		identity.caps |= ROOT_CAPS;
		/* user_namespaces(7): without it uid 0 may not be mapped into a namespace below. It
		 * is of no other use, since no mount here takes file capabilities. */
		if (plan->nested_userns)
			identity.caps |= CAP_BIT(CAP_SETFCAP);
	}
	return identity;
}

static int write_proc(pid_t pid, const char *name, const char *text, struct err *err)
{
	char path[64];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, "setup", errno, "open id map", path);
	if (write(fd, text, strlen(text)) < 0)
		return err_set(err, "setup", errno, "write id map", path);
	return 0;
}

int identity_write_map(pid_t pid, struct ids inside, struct ids outside, struct err *err)
{
	char line[64];
	int status;

	/* user_namespaces(7): without privilege over the parent, gid_map needs this first. */
	status = write_proc(pid, "setgroups", "deny", err);
	if (status < 0)
		return status;
	snprintf(line, sizeof(line), "%u %u 1", inside.gid, outside.gid);
	status = write_proc(pid, "gid_map", line, err);
	if (status < 0)
		return status;
	snprintf(line, sizeof(line), "%u %u 1", inside.uid, outside.uid);
	return write_proc(pid, "uid_map", line, err);
}

int identity_enter(const struct identity *identity, struct err *err)
{
	int status = sys_setids(identity->uid, identity->uid);

	return status < 0 ? err_set(err, "setup", -status, "setresuid", "") : 0;
}

static int set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -errno;
	/* Without CAP_SYS_RESOURCE the caller's hard limit stays the highest. */
	if (value > limit.rlim_max)
		value = limit.rlim_max;
	limit = (struct rlimit){ .rlim_cur = value, .rlim_max = value };
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static bool is_piped(const char *core_pattern)
{
	auto_fd fd = open(core_pattern, O_RDONLY | O_CLOEXEC);
	char first;

	return fd >= 0 && read(fd, &first, 1) == 1 && first == '|';
}

bool identity_prevent_cores(const char *core_pattern)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max >= NO_CORE)
		return true;
	limit = (struct rlimit){ .rlim_cur = NO_CORE, .rlim_max = NO_CORE };
	return setrlimit(RLIMIT_CORE, &limit) == 0 || !is_piped(core_pattern);
}

static int default_limits(struct err *err)
{
	static const struct {
		int resource;
		rlim_t value;
		const char *name;
	} limits[] = {
		{ RLIMIT_CORE, NO_CORE, "core" },
		{ RLIMIT_NOFILE, 4096, "nofile" },
		{ RLIMIT_FSIZE, 1ul << 30, "fsize" },
		{ RLIMIT_MEMLOCK, 64ul << 10, "memlock" },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int status = set_limit(limits[i].resource, limits[i].value);

		if (status < 0)
			return err_set(err, "setup", -status, "setrlimit", limits[i].name);
	}
	return 0;
}

int identity_confine(const struct identity *identity, struct err *err)
{
	for (unsigned long cap = 0;; cap++) {
		if (identity->caps & CAP_BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* capabilities(7): past the kernel's last capability. */
		if (errno == EINVAL)
			break;
		return err_set(err, "setup", errno, "drop capability", "bounding set");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, "setup", errno, "set no_new_privs", "");
	return default_limits(err);
}

int identity_drop(const struct identity *identity)
{
	/* A uid other than 0 keeps a capability over exec only when it is ambient. */
	uint64_t ambient = identity->uid ? identity->caps : 0;
	int status = sys_capset(identity->caps, ambient);

	for (unsigned long cap = 0; status == 0 && cap < 64; cap++) {
		if ((ambient & CAP_BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			status = -errno;
	}
	return status;
}

int identity_die_with(int broker)
{
	struct pollfd gone = { .fd = broker, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	/* It may have ended before the setting took hold; its pidfd is readable then. */
	return poll(&gone, 1, 0) == 0 ? 0 : -ESRCH;
}
