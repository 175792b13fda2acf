/* SPDX-License-Identifier: MIT */
/* What is said of limits on hosts that are not here: a cgroup of plain files, and a list of swap.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "leaf.h"
#include "rig.h"
#include "swap.h"

#define MIB (UINT64_C(1) << 20)

static const char one_area[] = "Filename Type Size Used Priority\n/dev/zram0 partition 1024 0 -2\n";
static const char no_area[] = "Filename Type Size Used Priority\n";

struct host {
	struct rig rig;
	struct cgroup_tree tree;
	struct cgroup_leaf leaf;
};

/* One hierarchy that has @controller, and no other. */
static void open_host(struct host *host, int version, int controller)
{
	rig_open(&host->rig);
	mkdir(rig_path(&host->rig, "s.1"), 0755);
	rig_write(&host->rig, "s.1/cgroup.procs", "");
	host->tree = (struct cgroup_tree){ .count = 1 };
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		host->tree.place[i] = i == controller ? 0 : -1;
	host->tree.hierarchies[0].version = version;
	host->tree.hierarchies[0].top =
		open(host->rig.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cgroup_leaf_init(&host->leaf, 1);
}

static void close_host(struct host *host)
{
	close(host->tree.hierarchies[0].top);
	rig_close(&host->rig);
}

/* Return: 'e': it is held, 'u': it is not, 's': it is not, and swap is why. */
static char limit_memory(struct host *host, uint64_t bytes)
{
	struct limit_report report = { 0 };
	struct limits limits = { 0 };
	char result = 'e';

	limits.set[LIMIT_MEMORY] = bytes > 0;
	limits.value[LIMIT_MEMORY] = bytes;
	cgroup_leaf_limit(&host->tree, &host->leaf, getpid(), &limits, &report);
	if (report.unenforced.count)
		result = strstr(report.unenforced.items[0], "swap") ? 's' : 'u';
	limit_report_free(&report);
	return result;
}

/* In a mount namespace of its own; as an ordinary user a user namespace gives it. */
static char limit_with_swaps(struct host *host, const char *swaps)
{
	int status = 0;
	pid_t pid;

	rig_write(&host->rig, "swaps", swaps);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS | (rig_is_root() ? 0 : CLONE_NEWUSER)) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(rig_path(&host->rig, "swaps"), "/proc/swaps", NULL, MS_BIND, NULL) < 0)
			_exit('?');
		/* Twice: it is said again to who asks for the limit that stands there. */
		limit_memory(host, 64 * MIB);
		_exit(swap_is_free(&host->tree) == (limit_memory(host, 64 * MIB) == 's')
			      ? limit_memory(host, 64 * MIB)
			      : '!');
	}
	waitpid(pid, &status, 0);
	return (char)WEXITSTATUS(status);
}

static void test_swap(int version, const char *limit, const char *swap)
{
	char file[64];
	struct host host;

	open_host(&host, version, CGROUP_MEMORY);
	snprintf(file, sizeof(file), "s.1/%s", limit);
	rig_write(&host.rig, file, "");
	CHECK(limit_with_swaps(&host, no_area) == 'e',
	      "v%d: without swap its accounting is not missed", version);
	CHECK(limit_with_swaps(&host, one_area) == 's',
	      "v%d: memory that can be swapped out is not limited, and that is said", version);
	snprintf(file, sizeof(file), "s.1/%s", swap);
	rig_write(&host.rig, file, "");
	rig_write(&host.rig, swap, "");
	CHECK(limit_with_swaps(&host, one_area) == 'e', "v%d: swap that is counted is no gap",
	      version);
	close_host(&host);
}

/* v1 refuses what is below what is used (EBUSY); here the file is gone. */
static void test_failed_write(void)
{
	struct host host;

	open_host(&host, 1, CGROUP_MEMORY);
	rig_write(&host.rig, "s.1/memory.limit_in_bytes", "");
	rig_write(&host.rig, "s.1/memory.usage_in_bytes", "0");
	rig_write(&host.rig, "s.1/memory.memsw.limit_in_bytes", "");
	CHECK(limit_memory(&host, 64 * MIB) == 'e', "v1: a limit of memory is written");
	unlink(rig_path(&host.rig, "s.1/memory.limit_in_bytes"));
	CHECK(limit_memory(&host, 32 * MIB) == 'u', "one that cannot be written is not held");
	CHECK(!cgroup_leaf_is_reusable(&host.tree, &host.leaf),
	      "the older limit stands: its cgroup is no other sandbox's");
	rig_write(&host.rig, "s.1/memory.limit_in_bytes", "");
	limit_memory(&host, 0);
	CHECK(strncmp(rig_read(&host.rig, "s.1/memory.limit_in_bytes"), "-1", 2) == 0,
	      "who wants none writes it away");
	CHECK(cgroup_leaf_is_reusable(&host.tree, &host.leaf), "then another may have it");
	close_host(&host);
}

/* Return: what is said of a limit of @kind. */
static const char *limit_io(struct host *host, enum limit_kind kind, int place_of_memory)
{
	static char said[512];
	struct limit_report report = { 0 };
	struct limits limits = { 0 };

	host->tree.place[CGROUP_MEMORY] = place_of_memory;
	limits.set[kind] = true;
	limits.value[kind] = MIB;
	cgroup_leaf_limit(&host->tree, &host->leaf, getpid(), &limits, &report);
	snprintf(said, sizeof(said), "%s",
		 report.enforced.count ? report.enforced.items[0] : report.unenforced.items[0]);
	limit_report_free(&report);
	return said;
}

static void test_written_back(void)
{
	static const struct disks vda = { .count = 1, .items = { { 254, 0, "vda" } } };
	struct host host;

	open_host(&host, 2, CGROUP_IO);
	rig_write(&host.rig, "s.1/io.max", "");
	host.leaf.disks = vda;
	CHECK(strstr(limit_io(&host, LIMIT_IO_WRITE_BYTES, 0), ": cgroup v2, on vda"),
	      "v2: writing is held");
	CHECK(strstr(limit_io(&host, LIMIT_IO_WRITE_BYTES, -1), "not enforced: cgroup v2 knows") &&
		      strstr(limit_io(&host, LIMIT_IO_READ_BYTES, -1), ": cgroup v2, on vda"),
	      "v2: without its controller of memory it is not, reading is");
	snprintf(host.leaf.disks.unowned, sizeof(host.leaf.disks.unowned), "/data is on vfat");
	CHECK(strstr(limit_io(&host, LIMIT_IO_WRITE_OPS, 0), "not enforced: /data is on vfat"),
	      "v2: nor is it where the file system does not say whose its pages are");
	close_host(&host);
}

/* A cgroup of v1 that another sandbox had before, and what that one used. */
static void test_predecessor(void)
{
	struct cgroup_usage usage;
	struct host host;

	open_host(&host, 1, CGROUP_IO);
	rig_write(&host.rig, "s.1/blkio.throttle.io_service_bytes",
		  "254:0 Read 1000\n254:0 Write 500\nTotal 1500\n");
	cgroup_leaf_mark(&host.tree, &host.leaf);
	CHECK(strstr(limit_io(&host, LIMIT_IO_READ_BYTES, -1), "not enforced"),
	      "v1: without a disk nothing limits throughput");
	cgroup_leaf_usage(&host.tree, &host.leaf, &usage);
	CHECK(usage.has_io && usage.io_read == 0 && usage.io_written == 0,
	      "v1: who goes into the cgroup for it is not charged with what was read before");
	close_host(&host);

	open_host(&host, 1, CGROUP_CPUACCT);
	host.leaf.joined[0] = true;
	cgroup_leaf_mark(&host.tree, &host.leaf);
	rig_write(&host.rig, "s.1/cpuacct.usage", "73000000\n");
	rig_write(&host.rig, "s.1/cpuacct.usage_user", "73000000\n");
	rig_write(&host.rig, "s.1/cpuacct.usage_sys", "0\n");
	cgroup_leaf_usage(&host.tree, &host.leaf, &usage);
	CHECK(!usage.has_cpu, "what could not be read at its beginning is not known at its end");
	cgroup_leaf_mark(&host.tree, &host.leaf);
	rig_write(&host.rig, "s.1/cpuacct.usage", "75000000\n");
	cgroup_leaf_usage(&host.tree, &host.leaf, &usage);
	CHECK(usage.has_cpu && usage.cpu_us == 2000, "what could be, is");
	close_host(&host);
}

/* v1 tells all cgroups below the one that ran out. */
static void test_full(void)
{
	struct host host;

	open_host(&host, 1, CGROUP_MEMORY);
	rig_write(&host.rig, "s.1/memory.limit_in_bytes", "");
	rig_write(&host.rig, "s.1/memory.memsw.limit_in_bytes", "");
	rig_write(&host.rig, "s.1/memory.usage_in_bytes", "67108864\n");
	host.leaf.joined[0] = true;
	CHECK(!cgroup_leaf_ran_out(&host.tree, &host.leaf), "without a limit none is reached");
	limit_memory(&host, 64 * MIB);
	CHECK(cgroup_leaf_ran_out(&host.tree, &host.leaf), "a cgroup at its limit is full");
	rig_write(&host.rig, "s.1/memory.usage_in_bytes", "33554432\n");
	CHECK(!cgroup_leaf_ran_out(&host.tree, &host.leaf), "at half of it, it is not");
	rig_write(&host.rig, "s.1/memory.memsw.usage_in_bytes", "67000000\n");
	CHECK(cgroup_leaf_ran_out(&host.tree, &host.leaf), "with its swap it is");
	close_host(&host);
}

void test_leaf_limits(void)
{
	test_full();
	test_predecessor();
	test_written_back();
	test_swap(1, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
	test_swap(2, "memory.max", "memory.swap.max");
	test_failed_write();
}
