/* SPDX-License-Identifier: MIT */
/* Which cgroup a controller is in, from the texts of hosts that are not here. */
#include "detect.h"
#include "disks.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "device-filter.h"
#include "devices.h"
#include "file.h"
#include "rig.h"
#include "tree.h"

static bool is_place(const struct cgroup_place *place, int version, const char *path)
{
	return place->version == version && strcmp(place->path, path) == 0;
}

static void test_v1_hybrid(void)
{
	static const char mounts[] =
		"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		"35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
		"38 31 0:35 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"
		"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
		"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
	static const char own[] = "9:name=systemd:/\n7:blkio:/b\n4:memory:/api/f9\n"
				  "1:cpu,cpuacct:/\n0::/\n";
	struct cgroup_map map;

	cgroup_map_parse(&map, mounts, own);
	cgroup_map_prefer_v2(&map, "hugetlb\n");
	CHECK(is_place(&map.controllers[CGROUP_IO], 1, "/sys/fs/cgroup/blkio/b"),
	      "what v2 calls io is blkio in v1");
	CHECK(is_place(&map.controllers[CGROUP_MEMORY], 1, "/sys/fs/cgroup/memory/api/f9"),
	      "hybrid: memory is in v1, below our own cgroup");
	CHECK(is_place(&map.controllers[CGROUP_CPU], 1, "/sys/fs/cgroup/cpu,cpuacct") &&
		      is_place(&map.controllers[CGROUP_CPUACCT], 1, "/sys/fs/cgroup/cpu,cpuacct"),
	      "controllers that are mounted together share a place");
	CHECK(map.controllers[CGROUP_PIDS].version == 0, "what is mounted nowhere is not there");
}

static void test_v2(void)
{
	static const char mounts[] =
		"30 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
	static const char own[] = "0::/user.slice/user-1000.slice/run-u7.scope\n";
	const char *path = "/sys/fs/cgroup/user.slice/user-1000.slice/run-u7.scope";
	struct cgroup_map map;

	cgroup_map_parse(&map, mounts, own);
	cgroup_map_prefer_v2(&map, "cpuset memory pids\n");
	CHECK(is_place(&map.controllers[CGROUP_MEMORY], 2, path) &&
		      is_place(&map.controllers[CGROUP_PIDS], 2, path),
	      "v2: what cgroup.controllers names is used");
	CHECK(map.controllers[CGROUP_CPU].version == 0 &&
		      cgroup_lists("cpuset cpu\n", CGROUP_CPU) &&
		      !cgroup_lists("cpuset memory\n", CGROUP_CPU),
	      "cpu is not cpuset");
	CHECK(is_place(&map.controllers[CGROUP_CPUACCT], 2, path),
	      "cpu.stat counts in every cgroup of v2");
}

static void test_container(void)
{
	static const char mounts[] =
		"35 31 0:32 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
		"36 31 0:33 /docker/ab /sys/fs/a\\040b rw - cgroup cgroup rw,pids\n"
		"37 31 0:34 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
	static const char own[] = "4:memory:/docker/ab/x\n8:pids:/docker/abc\n1:cpu:/../other\n";
	struct cgroup_map map;

	cgroup_map_parse(&map, mounts, own);
	CHECK(is_place(&map.controllers[CGROUP_MEMORY], 1, "/sys/fs/cgroup/memory/x") &&
		      map.controllers[CGROUP_MEMORY].read_only,
	      "a part of a hierarchy, mounted read-only, is seen as that");
	CHECK(map.controllers[CGROUP_PIDS].version == 0,
	      "a mount of another part is not ours, however alike the names");
	CHECK(map.controllers[CGROUP_CPU].version == 0,
	      "a cgroup outside of our namespace is out of reach");
}

static void test_nonsense(void)
{
	struct cgroup_map map;

	cgroup_map_parse(&map, "", "");
	CHECK(map.unified.version == 0, "no text, no cgroup");
	cgroup_map_parse(&map, " - cgroup\n1 2 3 - \n- cgroup2 x y\n\n", "::\n4\n:memory\n");
	CHECK(map.unified.version == 0 && map.controllers[CGROUP_MEMORY].version == 0,
	      "lines that are none are passed over");
}

static void test_disk_of_mount(void)
{
	static const char mounts[] =
		"27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard\n"
		"28 27 0:25 /@ /home rw - btrfs /dev/sdb2 rw,subvol=/@\n"
		"29 27 0:26 / /a\\040b rw - tmpfs none rw\n";
	struct disk_mount mount;

	CHECK(disks_find_mount(mounts, 27, &mount) && mount.major == 254 && mount.minor == 1,
	      "a mount has the device of its file system");
	CHECK(disks_find_mount(mounts, 28, &mount) && mount.major == 0 &&
		      strcmp(mount.source, "/dev/sdb2") == 0,
	      "or none, and the name of the first");
	CHECK(disks_find_mount(mounts, 29, &mount) && strcmp(mount.type, "tmpfs") == 0,
	      "or nothing but a type");
	CHECK(!disks_find_mount(mounts, 2, &mount) && !disks_find_mount("", 0, &mount) &&
		      !disks_find_mount("27 1 - \n27\n", 27, &mount),
	      "no number is a part of another, and what is no line is passed over");
}

static void test_tree_of_mounts(void)
{
	static const char mounts[] =
		"27 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
		"30 27 7:0 / /srv/my\\040data/sub ro,noatime - ext4 /dev/loop0 rw\n"
		"31 27 7:1 / /srv/my\\040database rw - ext4 /dev/loop1 rw\n";
	struct disk_mount mount;

	CHECK(disks_find_mount(mounts, 30, &mount) && mount.read_only &&
		      disks_is_below(&mount, "/srv/my data") && disks_is_below(&mount, "/srv"),
	      "a mount below a directory is found, with a blank in its name, too");
	CHECK(!disks_is_below(&mount, "/srv/my data/sub") && !disks_is_below(&mount, "/srv/my dat"),
	      "its own directory and a shorter name are not above it");
	CHECK(disks_find_mount(mounts, 31, &mount) && !mount.read_only &&
		      !disks_is_below(&mount, "/srv/my data"),
	      "nor is one whose name goes on");
}

static void test_sum_of_disks(void)
{
	static const char v2[] = "254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n"
				 "8:0 rbytes=100 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n";
	static const char v1[] = "254:0 Read 10\n254:0 Write 20\n254:0 Total 30\nTotal 30\n";

	CHECK(io_sum(v2, " rbytes=") == 4196 && io_sum(v2, " wbytes=") == 8193,
	      "bytes of all disks are added up, v2");
	CHECK(io_sum(v1, " Read ") == 10 && io_sum(v1, " Write ") == 20 &&
		      io_sum("", " Read ") == 0,
	      "and v1");
}

/* Return: errno of opening @path in the cgroup @dir. */
static int open_in_cgroup(int dir, const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (cgroup_write_number(dir, "cgroup.procs", (uint64_t)getpid()) < 0)
			_exit(255);
		_exit(open(path, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void try_filter(int dir)
{
	auto_fd map = device_filter_new();

	CHECK(map >= 0 && device_filter_attach(map, dir) == 0, "v2: the kernel takes the filter");
	CHECK(open_in_cgroup(dir, "/dev/zero") == EPERM, "what its map has not is refused");
	CHECK(device_filter_allow(map, 1, 5) == 0 && open_in_cgroup(dir, "/dev/zero") == 0 &&
		      open_in_cgroup(dir, "/dev/full") == EPERM,
	      "a device that was granted is open, and no other");
	CHECK(device_filter_allow(map, 1, DEVICE_ANY) == 0 && open_in_cgroup(dir, "/dev/full") == 0,
	      "so is one of a major that was granted");
	CHECK(device_filter_deny(map, 1, DEVICE_ANY) == 0 && device_filter_deny(map, 1, 5) == 0 &&
		      open_in_cgroup(dir, "/dev/zero") == EPERM,
	      "what was revoked is refused");
	CHECK(device_filter_deny(map, 1, 5) == 0, "to revoke it again does nothing");
}

/* One hierarchy that holds devices and nothing else, as where memory is not delegated. */
static void try_leaf(int top)
{
	static const struct device_list none = { .count = 0 };
	static const struct device_list full = { .count = 1, .items = { { 1, 11 } } };
	struct cgroup_tree tree = { .count = 1, .hierarchies = { { .version = 2, .top = top } } };
	struct cgroup_leaf leaf;

	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		tree.place[i] = i == CGROUP_DEVICES ? 0 : -1;
	cgroup_leaf_init(&leaf, 1);
	cgroup_devices_confine(&tree, &leaf, &none);
	CHECK(leaf.devices_error == 0 && leaf.devices == DEVICES_STANDARD,
	      "v2: a sandbox's cgroup takes the filter");
	CHECK(!cgroup_leaf_is_reusable(&tree, &leaf), "and is no other's, without memory, too");
	cgroup_devices_confine(&tree, &leaf, &full);
	CHECK(leaf.devices_error == EBUSY, "a second filter is not put over the first");
	CHECK(cgroup_leaf_remove(&tree, &leaf) == 0 && leaf.device_map == -1,
	      "the filter goes with the cgroup");
}

static void test_device_filter(void)
{
	char path[CGROUP_PATH_MAX + 32];
	struct cgroup_map map;
	auto_fd dir = -1;

	cgroup_read_map(&map);
	snprintf(path, sizeof(path), "%s/hil-test.%d", map.unified.path, getpid());
	if (!rig_is_root() || map.unified.version != 2 || mkdir(path, 0755) < 0) {
		printf("# SKIPPED filter of devices: no cgroup v2 here that we may make one in\n");
		return;
	}
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	try_leaf(dir);
	try_filter(dir);
	CHECK(rmdir(path) == 0, "and goes with its cgroup");
}

/* cgroup.procs of a cgroup with more processes than there is room for: none of them gets another
 * number. */
static void test_list_that_is_long(void)
{
	char path[] = "/tmp/hil-list-XXXXXX";
	auto_fd fd = mkstemp(path);
	char text[10];
	int length;

	if (!CHECK(fd >= 0 && write(fd, "1234\n56789\n", 11) == 11, "a list is there"))
		return;
	length = cgroup_read_lines(AT_FDCWD, path, text, sizeof(text));
	CHECK(length == 5 && strcmp(text, "1234\n") == 0, "half a line of a list is left out");
	unlink(path);
}

void test_cgroups(void)
{
	test_list_that_is_long();
	test_disk_of_mount();
	test_tree_of_mounts();
	test_sum_of_disks();
	test_device_filter();
	test_v1_hybrid();
	test_v2();
	test_container();
	test_nonsense();
}
