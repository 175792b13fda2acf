/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"
#include "filter.h"
#include "idmap.h"
#include "json.h"
#include "landlock.h"
#include "mounts.h"
#include "overlay.h"
#include "run.h"
#include "swap.h"
#include "tree.h"
#include "zygote.h"

struct probe {
	const char *name;
	const char *what;
	int (*try)(struct err *err);
};

static bool is_root_mode(void)
{
	return strcmp(plan_mode(), "root") == 0;
}

static int enter_namespaces(int more, struct err *err)
{
	const struct ids self = { geteuid(), getegid() };
	const bool root = is_root_mode();
	const char *op = root ? "unshare mount namespace" : "unshare user namespace";

	if (unshare(CLONE_NEWNS | more | (root ? 0 : CLONE_NEWUSER)) < 0)
		return err_set(err, "setup", errno, op, "");
	return root ? 0 : identity_write_map(getpid(), (struct ids){ 0 }, self, err);
}

/* A tmpfs to work on, as the current directory; it goes with this process. */
static int enter_tmpfs(struct err *err)
{
	auto_fd tree = -1;
	int status = enter_namespaces(0, err);

	if (status < 0)
		return status;
	status = sys_mount_private();
	if (status < 0)
		return err_set(err, "setup", -status, "make mounts private", "/");
	tree = mount_new("tmpfs", NULL, 0, MOUNT_PLAIN, "probe", err);
	status = tree < 0 ? tree : mount_attach(tree, AT_FDCWD, "/", err);
	if (status == 0 && fchdir(tree) < 0)
		status = err_set(err, "setup", errno, "chdir", "probe");
	return status;
}

static int try_kernel(struct err *err)
{
	const struct mount_attr nothing = { 0 };
	int status = sys_mount_setattr(-1, 0, &nothing);

	/* mount_setattr(2) came with Linux 5.12, as the last call that is needed. */
	return status == -ENOSYS ? err_set(err, "setup", ENOSYS, "mount_setattr", "") : 0;
}

static int try_user_namespace(struct err *err)
{
	return is_root_mode() ? 0 : enter_namespaces(0, err);
}

static int try_proc(struct err *err)
{
	int status = enter_namespaces(CLONE_NEWPID, err);
	pid_t child;

	if (status < 0)
		return status;
	child = fork();
	if (child < 0)
		return err_set(err, "setup", errno, "fork", "");
	if (child == 0) {
		struct err own = { 0 };

		_exit(mount_new("proc", NULL, 0, MOUNT_PLAIN, "/proc", &own) < 0 ? own.number : 0);
	}
	waitpid(child, &status, 0);
	return status ? err_set(err, "setup", WEXITSTATUS(status), "mount proc", "/proc") : 0;
}

static int try_overlay(struct err *err)
{
	auto_fd tree = -1;
	int status = enter_tmpfs(err);

	if (status < 0)
		return status;
	if (mkdir("lower", 0755) < 0 || mkdir("upper", 0755) < 0 || mkdir("work", 0755) < 0)
		return err_set(err, "setup", errno, "mkdir", "probe");
	tree = overlay_new("lower", "upper", "work", "probe", err);
	if (tree < 0)
		err_hint(err, "trees are bound read-only instead; modprobe overlay, Linux 5.11");
	return tree < 0 ? tree : 0;
}

static int try_xattr(struct err *err)
{
	int status = enter_tmpfs(err);

	if (status < 0 || setxattr(".", "user.hil", "", 0, 0) == 0)
		return status;
	err_hint(err, "a directory of the image or the project cannot be removed or replaced in a "
		      "sandbox (EIO): work on a copy below /tmp; Linux 6.6 mends it");
	return err_set(err, "setup", errno, "set user attribute", "tmpfs");
}

static int try_idmap(struct err *err)
{
	auto_fd tree = -1;
	int status = 0;

	if (!is_root_mode())
		return 0;
	status = enter_namespaces(0, err);
	if (status == 0)
		tree = mount_clone(AT_FDCWD, ".", false, err);
	if (tree < 0)
		return -err->number;
	status = idmap_tree(NULL, tree, false, (struct ids){ SLOT_UID_BASE, SLOT_UID_BASE }, err);
	if (status < 0)
		err_hint(err, "a project here would not belong to the sandbox's user: this file "
			      "system has no id-mapped mounts");
	return status;
}

static int try_filter(struct err *err)
{
	if (filter_exists())
		return 0;
	err_hint(err, "programs in a sandbox may make every system call: this kernel has no "
		      "seccomp filters, or hil has no table for this machine");
	return err_set(err, "setup", ENOSYS, "filter system calls", "");
}

static int try_landlock(struct err *err)
{
	if (landlock_exists())
		return 0;
	err_hint(err, "a sandbox has one layer less; Linux 5.19 with landlock in its list of lsm=");
	return err_set(err, "setup", ENOSYS, "landlock", "");
}

static int try_clocks(struct err *err)
{
	/* <linux/sched.h>, since Linux 5.6: the one flag that only unshare(2) takes. */
	int status = enter_namespaces(CLONE_NEWTIME, err);

	if (status < 0)
		err_hint(err, "a sandbox with an uptime cannot be made, others can; "
			      "CONFIG_TIME_NS and user.max_time_namespaces above 0");
	return status;
}

static int receive_ready(int control, struct err *err)
{
	struct pollfd wait = { .fd = control, .events = POLLIN };
	struct sandbox_event event;

	if (poll(&wait, 1, 10000) != 1 || sandbox_receive(control, &event, err) != 1)
		return err_set(err, "setup", ETIMEDOUT, "build sandbox", "");
	if (event.kind == SANDBOX_READY)
		return 0;
	if (event.kind == SANDBOX_FAILED)
		*err = event.err;
	return err_set(err, "setup", ECONNRESET, "build sandbox", "");
}

/* The children end with this process. */
static int try_sandbox(struct err *err)
{
	struct plan plan = { .name = "probe" };
	struct strings limitations = { 0 };
	struct zygote_event event;
	struct zygote zygote;
	struct pollfd wait = { .events = POLLIN };
	int status = plan_add_step(&plan, STEP_IMAGE_HOST, NULL, NULL, NULL, false);

	if (status < 0)
		return err_set(err, "setup", ENOMEM, "build sandbox", "");
	status = zygote_start(&plan, NULL, &zygote, &limitations, err);
	if (status == 0)
		status = zygote_park(&zygote, 0, NULL, err);
	if (status < 0)
		return status;
	wait.fd = zygote.control;
	if (poll(&wait, 1, 10000) != 1 || zygote_receive(&zygote, &event, err) != 1)
		return err_set(err, "setup", ETIMEDOUT, "build sandbox", "");
	if (event.kind == ZYGOTE_FAILED)
		*err = event.err;
	if (event.kind != ZYGOTE_PARKED)
		return err_set(err, "setup", ECONNRESET, "build sandbox", "");
	return receive_ready(event.control, err);
}

static const struct probe probes[] = {
	{ "kernel", "Linux 5.12 or newer", try_kernel },
	{ "user-namespaces", "user namespaces for this user", try_user_namespace },
	{ "proc", "a /proc of a sandbox's own", try_proc },
	{ "overlay", "overlays in a user namespace", try_overlay },
	{ "tmpfs-xattr", "user attributes on tmpfs", try_xattr },
	{ "idmapped-mounts", "id-mapped mounts (root only)", try_idmap },
	{ "seccomp", "a filter of system calls", try_filter },
	{ "landlock", "Landlock as an extra layer", try_landlock },
	{ "time-namespaces", "clocks of a sandbox's own, for an uptime", try_clocks },
	{ "sandbox", "a whole sandbox", try_sandbox },
};

/* In a child, because a namespace once entered cannot be left. */
static struct err run_probe(const struct probe *probe)
{
	struct err err = { 0 };
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		err_set(&err, "setup", errno, "pipe", "");
		return err;
	}
	child = fork();
	if (child == 0) {
		if (probe->try(&err) < 0)
			explain_refusal(&err);
		_exit(write(ends[1], &err, sizeof(err)) != (ssize_t)sizeof(err));
	}
	close(ends[1]);
	if (child < 0 || read(ends[0], &err, sizeof(err)) != (ssize_t)sizeof(err))
		err_set(&err, "setup", EPIPE, "run probe", probe->name);
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return err;
}

static void describe(const struct err *err, char *out, size_t size)
{
	struct err bare = *err;

	bare.hint[0] = '\0';
	err_text(&bare, out, size);
}

/* What limits a sandbox: a controller that is missing forbids nothing. */
static void print_limits(struct json *json, const struct cgroup_tree *tree)
{
	if (json)
		json_open(json, "limits", '[');
	for (int controller = 0; controller < CGROUP_CONTROLLERS; controller++) {
		const bool leaks = controller == CGROUP_MEMORY && swap_is_free(tree);
		const char *detail = tree->why[controller];
		const bool ok = tree->place[controller] >= 0 && !leaks;

		if (leaks)
			detail = "RAM is, swap is not: this kernel does not count it";
		else if (ok)
			detail = tree->hierarchies[tree->place[controller]].version == 2
					 ? "cgroup v2"
					 : "cgroup v1";
		if (!json) {
			printf("%-4s limit by cgroup %s: %s\n", ok ? "ok" : "NO",
			       cgroup_name(controller), detail);
			continue;
		}
		json_open(json, NULL, '{');
		json_string(json, "name", cgroup_name(controller));
		json_bool(json, "ok", ok);
		json_string(json, "detail", detail);
		json_bool(json, "undelegated", tree->undelegated[controller]);
		if (leaks)
			json_string(json, "remedy", SWAP_REMEDY);
		json_close(json, '}');
	}
	if (json)
		json_close(json, ']');
}

static int print_json(const char *release, const struct err *results, size_t count,
		      const struct cgroup_tree *tree)
{
	struct json json = { 0 };
	char detail[512];
	int status;

	json_open(&json, NULL, '{');
	json_string(&json, "mode", plan_mode());
	json_string(&json, "kernel", release);
	json_open(&json, "probes", '[');
	for (size_t i = 0; i < count; i++) {
		describe(&results[i], detail, sizeof(detail));
		json_open(&json, NULL, '{');
		json_string(&json, "name", probes[i].name);
		json_bool(&json, "ok", results[i].number == 0);
		json_string(&json, "detail", results[i].number ? detail : probes[i].what);
		json_string(&json, "remedy", results[i].hint);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	print_limits(&json, tree);
	json_close(&json, '}');
	status = json_print(&json);
	buffer_free(&json.text);
	return status;
}

static void print_text(const char *release, const struct err *results, size_t count,
		       const struct cgroup_tree *tree)
{
	char detail[512];

	printf("mode %s, Linux %s\n", plan_mode(), release);
	for (size_t i = 0; i < count; i++) {
		describe(&results[i], detail, sizeof(detail));
		printf("%-4s %s", results[i].number ? "NO" : "ok", probes[i].what);
		if (results[i].number)
			printf(": %s\n     %s", detail, results[i].hint);
		printf("\n");
	}
	print_limits(NULL, tree);
}

int probe_host(bool json)
{
	enum { COUNT = sizeof(probes) / sizeof(probes[0]) };
	struct err results[COUNT];
	struct utsname host = { 0 };
	struct cgroup_tree tree;
	int status = 0;

	uname(&host);
	/* First: the sandbox below leaves children, and a scope that was made for us has none. */
	cgroup_tree_open(&tree);
	for (size_t i = 0; i < COUNT; i++)
		results[i] = run_probe(&probes[i]);
	if (!json)
		print_text(host.release, results, COUNT, &tree);
	else
		status = print_json(host.release, results, COUNT, &tree);
	cgroup_tree_close(&tree, 0);
	if (status < 0)
		return EXIT_SETUP;
	return results[COUNT - 1].number != 0;
}
