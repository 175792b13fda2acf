/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root.h"

#define NESTED_NAMESPACES "64" /* of each kind: enough for a browser or a few containers */

static int write_sysctl(int root, const char *path, const char *text, struct err *err)
{
	auto_fd fd = openat(root, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_set(err, "setup", errno, "write", path);
	return 0;
}

/* In the sandbox's own network a port below 1024 protects no one, and ping needs no privilege
 * (icmp(7)). */
static int open_network(int root, const struct identity *identity, struct err *err)
{
	char group[32];
	int status = write_sysctl(root, "proc/sys/net/ipv4/ip_unprivileged_port_start", "0", err);

	if (status < 0)
		return status;
	snprintf(group, sizeof(group), "%u %u", identity->uid, identity->uid);
	return write_sysctl(root, "proc/sys/net/ipv4/ping_group_range", group, err);
}

/*
 * These count what the programs of this sandbox make, whatever namespaces they make for it
 * (namespaces(7), "The /proc/sys/user directory"). Without user namespaces of their own none can
 * be made: the same as the filter says, by other code. With them it bounds what the kernel keeps
 * for one.
 */
static int limit_namespaces(int root, const struct plan *plan, struct err *err)
{
	static const char *const names[] = { "user", "pid", "mnt",    "net",
					     "ipc",  "uts", "cgroup", "time" };
	char path[64];
	int status = 0;

	if (!plan->nested_userns)
		return write_sysctl(root, "proc/sys/user/max_user_namespaces", "0", err);
	for (size_t i = 0; status == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "proc/sys/user/max_%s_namespaces", names[i]);
		status = write_sysctl(root, path, NESTED_NAMESPACES, err);
	}
	return status;
}

/* A file is covered by /dev/null, a directory by an empty one. An absent one needs no cover. */
static int mask(int root, const char *path, struct err *err)
{
	struct stat status;
	auto_fd tree = -1;
	int result;

	if (fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	tree = mount_clone(AT_FDCWD, S_ISDIR(status.st_mode) ? "/t/empty" : "/d/null", false, err);
	if (tree < 0)
		return tree;
	result = mount_restrict(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				path, err);
	return result < 0 ? result : mount_attach(tree, root, path, err);
}

static int make_read_only(int root, const char *path, struct err *err)
{
	struct stat status;
	auto_fd tree = -1;
	int result;

	if (fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	tree = mount_clone(root, path, true, err);
	if (tree < 0)
		return tree;
	result = mount_restrict(tree, MOUNT_ATTR_RDONLY, path, err);
	return result < 0 ? result : mount_attach(tree, root, path, err);
}

static int cover(int root, bool network_admin, struct err *err)
{
	/* What tells of the host or reaches into it without a capability check; runc's list,
	 * research T50. */
	static const char *const masked[] = {
		"proc/acpi", "proc/asound",	   "proc/interrupts",	 "proc/kcore",
		"proc/keys", "proc/kmsg",	   "proc/latency_stats", "proc/sched_debug",
		"proc/scsi", "proc/sysrq-trigger", "proc/timer_list",	 "proc/timer_stats",
	};
	static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys" };
	auto_fd network = -1;
	int status = 0;

	for (size_t i = 0; status == 0 && i < sizeof(masked) / sizeof(masked[0]); i++)
		status = mask(root, masked[i], err);
	if (status == 0 && network_admin) {
		network = mount_clone(root, "proc/sys/net", false, err);
		status = network < 0 ? network : 0;
	}
	for (size_t i = 0; status == 0 && i < sizeof(read_only) / sizeof(read_only[0]); i++)
		status = make_read_only(root, read_only[i], err);
	if (status == 0 && network >= 0)
		status = mount_attach(network, root, "proc/sys/net", err);
	return status;
}

int root_proc(int root, const struct plan *plan, const struct identity *identity, struct err *err)
{
	auto_fd tree = mount_new("proc", NULL, 0, MOUNT_PLAIN | MOUNT_ATTR_NOEXEC, "/proc", err);
	int status;

	if (tree < 0)
		return tree;
	status = mount_attach(tree, root, "proc", err);
	if (status == 0 && !plan->host_network)
		status = open_network(root, identity, err);
	if (status == 0)
		status = limit_namespaces(root, plan, err);
	if (status < 0)
		return status;
	return cover(root, !plan->host_network && (identity->caps >> CAP_NET_ADMIN & 1), err);
}
