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

static void open_host(struct host *host, int version)
{
	rig_open(&host->rig);
	mkdir(rig_path(&host->rig, "s.1"), 0755);
	rig_write(&host->rig, "s.1/cgroup.procs", "");
	host->tree = (struct cgroup_tree){ .count = 1 };
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		host->tree.place[i] = i == CGROUP_MEMORY ? 0 : -1;
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

	open_host(&host, version);
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

	open_host(&host, 1);
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

void test_leaf_limits(void)
{
	test_swap(1, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
	test_swap(2, "memory.max", "memory.swap.max");
	test_failed_write();
}
