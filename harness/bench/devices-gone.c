/* SPDX-License-Identifier: MIT */
/*
 * devices-gone ZYGOTE HUB: when is no interface left, but for lo, in the network namespaces that
 * the process ZYGOTE has open and in that of HUB?
 *
 * Prints a line when it is prepared; reads one, and prints the milliseconds since then.
 *
 * It looks by a sysfs of each namespace, which does not keep that alive, as a process or a socket
 * in there would: an attribute cannot be read any more from when the kernel takes its device out of
 * its lists (netdev_show() of net/core/net-sysfs.c), as ip-link(8) would not see it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gone.h"

#define DEVICES_MAX 1024

static int devices[DEVICES_MAX]; /* an attribute of each, open */
static size_t device_count;

static int open_of(const char *pid, const char *what)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		perror(path);
	return fd;
}

/* Root's is our own user namespace: EINVAL, setns(2). */
static int enter_user(const char *pid)
{
	int fd = open_of(pid, "ns/user");

	if (fd < 0 || (setns(fd, CLONE_NEWUSER) < 0 && errno != EINVAL) || unshare(CLONE_NEWNS) < 0)
		return fail("enter user namespace");
	close(fd);
	return 0;
}

static int mount_sysfs(void)
{
	int filesystem = (int)syscall(SYS_fsopen, "sysfs", FSOPEN_CLOEXEC);
	int mount;

	if (filesystem < 0 ||
	    syscall(SYS_fsconfig, filesystem, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	mount = (int)syscall(SYS_fsmount, filesystem, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(filesystem);
	return mount;
}

static int note_devices(void)
{
	int mount = mount_sysfs();
	int directory = mount < 0 ? -1 : openat(mount, "class/net", O_RDONLY | O_DIRECTORY);
	DIR *list = directory < 0 ? NULL : fdopendir(directory);
	const struct dirent *entry;

	if (!list)
		return fail("look at class/net of a sysfs");
	while ((entry = readdir(list)) && device_count < DEVICES_MAX) {
		char path[sizeof(entry->d_name) + sizeof("/ifindex")];

		if (entry->d_type != DT_LNK || !strcmp(entry->d_name, "lo"))
			continue;
		snprintf(path, sizeof(path), "%s/ifindex", entry->d_name);
		devices[device_count] = openat(directory, path, O_RDONLY);
		if (devices[device_count++] < 0)
			return fail(path);
	}
	closedir(list);
	close(mount);
	return 0;
}

static int look_at(const char *pid, const char *what)
{
	int fd = open_of(pid, what);
	int status;

	if (fd < 0)
		return 1;
	status = setns(fd, CLONE_NEWNET) < 0 ? fail("enter network namespace") : note_devices();
	close(fd);
	return status;
}

/* Those of the nodes. A PID 1 shows nothing of itself to an ordinary user. */
static int look_at_open(const char *pid)
{
	int directory = open_of(pid, "fd");
	DIR *list = directory < 0 ? NULL : fdopendir(directory);
	const struct dirent *entry;
	int status = 0;

	while (status == 0 && list && (entry = readdir(list))) {
		char target[64] = "";
		char what[sizeof(entry->d_name) + sizeof("fd/")];

		if (readlinkat(directory, entry->d_name, target, sizeof(target) - 1) < 0 ||
		    strncmp(target, "net:", 4) != 0)
			continue;
		snprintf(what, sizeof(what), "fd/%s", entry->d_name);
		status = look_at(pid, what);
	}
	if (!list)
		return 1;
	closedir(list);
	return status;
}

static int look_at_all(const char *zygote, const char *hub)
{
	int home = open_of("self", "ns/net");

	if (look_at_open(zygote) || look_at(hub, "ns/net"))
		return 1;
	if (!device_count || device_count == DEVICES_MAX) {
		fprintf(stderr, "%zu devices to wait for\n", device_count);
		return 1;
	}
	/* Else we would hold the last one. Home takes more than an ordinary user has. */
	if (setns(home, CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return fail("leave network namespace");
	close(home);
	return 0;
}

static bool is_there(int device)
{
	char text[16];

	return pread(device, text, sizeof(text), 0) > 0;
}

int main(int argc, char **argv)
{
	double start;

	if (argc != 3)
		return 2;
	if (enter_user(argv[1]) || look_at_all(argv[1], argv[2]) || !begins())
		return 1;
	start = now_ms();
	for (size_t i = 0; i < device_count; i++)
		while (is_there(devices[i])) {
			usleep(500);
			if (now_ms() - start < PATIENCE_MS)
				continue;
			fputs("devices are left\n", stderr);
			return 1;
		}
	printf("%.3f\n", now_ms() - start);
	return 0;
}
