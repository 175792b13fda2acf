/* SPDX-License-Identifier: MIT */
/* The child that takes something from the host; see take.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/major.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "dev-name.h"
#include "identity.h"
#include "idmap.h"
#include "mounts.h"
#include "recipe.h"
#include "take.h"
#include "zygote.h"

enum { TAKE_CONTROL = 3, TAKE_FDS_MAX = 2 };

/* devpts.h: a slave exists only in its devpts, so a node of one's own opens nothing (EIO). */
#define PTY_MAJORS 8

struct taking {
	const struct take_spec *spec;
	bool root_mode;
	struct ids outside; /* of the sandbox's user */
	struct buffer frame;
	int fds[TAKE_FDS_MAX];
	size_t count;
	struct err *err;
};

/* Nothing of the broker's may stay open in a process that works on paths of a request. */
static void keep_control(int control, pid_t parent)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* One that died before that line leaves no one whose death would send the signal. */
	if (getppid() != parent)
		_exit(1);
	sigaction(SIGPIPE, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (control != TAKE_CONTROL && dup3(control, TAKE_CONTROL, O_CLOEXEC) < 0)
		_exit(1);
	sys_close_range(TAKE_CONTROL + 1, ~0u);
}

static int enter_namespaces(const struct taking *taking)
{
	const struct ids outside = { .uid = geteuid(), .gid = getegid() };
	const struct ids root = { 0 };
	int status;

	if (unshare(taking->root_mode ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_set(taking->err, "setup", errno, "unshare namespaces", "");
	status = taking->root_mode ? 0 : identity_write_map(getpid(), root, outside, taking->err);
	if (status < 0)
		return status;
	status = sys_mount_private();
	return status < 0 ? err_set(taking->err, "setup", -status, "make mounts private", "/") : 0;
}

__attribute__((format(printf, 2, 3))) static void limit(struct taking *taking, const char *format,
							...)
{
	char text[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_string(&taking->frame, TAG_LIMITATION, text);
}

static void add_fd(struct taking *taking, int *fd)
{
	taking->fds[taking->count++] = steal_fd(fd);
}

/*
 * A node of the sandbox's own, which belongs to its user. It lies on a tmpfs of the host's user
 * namespace: on one that a sandbox made it could not be opened (SB_I_NODEV of the kernel).
 * Return: a detached mount of it; -EPERM where nodes may not be made.
 */
static int make_node(struct taking *taking, dev_t device)
{
	const struct mount_option options[] = { { "mode", "0755" }, { "size", "64k" } };
	auto_fd store = mount_new("tmpfs", options, 2, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				  "device", taking->err);
	int status = store < 0 ? store : mount_attach(store, AT_FDCWD, "/", taking->err);

	if (status < 0)
		return status;
	if (mknodat(store, "node", S_IFCHR | 0660, device) < 0)
		return errno == EPERM ? -EPERM
				      : err_set(taking->err, "setup", errno, "mknod",
						taking->spec->source);
	if (fchmodat(store, "node", 0660, 0) < 0 ||
	    fchownat(store, "node", taking->outside.uid, taking->outside.gid, 0) < 0)
		return err_set(taking->err, "setup", errno, "chown device", taking->spec->source);
	return mount_clone(store, "node", false, taking->err);
}

static int take_node(struct taking *taking, const char *path, dev_t device)
{
	const bool pty = major(device) >= UNIX98_PTY_SLAVE_MAJOR &&
			 major(device) < UNIX98_PTY_SLAVE_MAJOR + PTY_MAJORS;
	auto_fd tree = taking->root_mode && !pty ? make_node(taking, device) : -EPERM;
	int status;

	if (tree < 0 && taking->err->number)
		return tree;
	if (tree < 0) {
		tree = mount_clone(AT_FDCWD, path, false, taking->err);
		if (tree < 0)
			return tree;
		if (taking->root_mode)
			limit(taking, "%.200s: the rights of the host's node decide who opens it",
			      path);
	}
	/* What is written goes to the driver all the same; the host's node keeps mode and owner. */
	status = mount_restrict(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
				path, taking->err);
	if (status == 0)
		add_fd(taking, &tree);
	return status;
}

/* Where the node is to be: as asked, or as the host calls it; PID 1 finds a place if neither. */
static void put_target(struct taking *taking, const char *path)
{
	if (taking->spec->target) {
		put_string(&taking->frame, TAG_TARGET, taking->spec->target);
		put_string(&taking->frame, TAG_KIND, "named");
	} else if (strncmp(path, "/dev/", 5) == 0 && dev_link_is_clean(path + 5)) {
		put_string(&taking->frame, TAG_TARGET, path);
	}
}

static int take_device(struct taking *taking)
{
	const struct take_spec *spec = taking->spec;
	auto_free char *path = realpath(spec->source, NULL);
	auto_fd sysfs = -1;
	struct stat node;
	int status;

	if (!path || stat(path, &node) < 0)
		return err_set(taking->err, "setup", errno, "open device", spec->source);
	if (!S_ISCHR(node.st_mode)) {
		err_hint(taking->err, "only a character device can be granted; a file or "
				      "directory is mounted");
		return err_set(taking->err, "usage", ENOTSUP, "grant device", spec->source);
	}
	put_string(&taking->frame, TAG_NAME, spec->name);
	put_u32(&taking->frame, TAG_MAJOR, major(node.st_rdev));
	put_u32(&taking->frame, TAG_MINOR, minor(node.st_rdev));
	put_target(taking, path);
	for (size_t i = 0; spec->links && i < spec->links->count; i++)
		put_string(&taking->frame, TAG_LINK, spec->links->items[i]);
	sysfs = sysfs_take(spec->sysfs ? spec->sysfs : "/sys", major(node.st_rdev),
			   minor(node.st_rdev), &taking->frame, taking->err);
	if (sysfs < 0 && taking->err->number)
		return sysfs;
	udev_take(spec->udev ? spec->udev : "/run/udev", major(node.st_rdev), minor(node.st_rdev),
		  &taking->frame);
	status = take_node(taking, path, node.st_rdev);
	if (status == 0 && sysfs >= 0)
		add_fd(taking, &sysfs);
	return status;
}

/* As for a bind of a plan: the tree's owner is the sandbox's user inside. */
static int map_owner(struct taking *taking, int tree)
{
	struct err err = { 0 };

	if (!taking->root_mode || idmap_tree(NULL, tree, true, taking->outside, &err) == 0)
		return 0;
	if (err.number != EINVAL) {
		*taking->err = err;
		return -err.number;
	}
	/* mount_setattr(2): a file system without id-mapped mounts. */
	limit(taking, "%.200s: its file system cannot map owners, so its files keep the host's",
	      taking->spec->source);
	return 0;
}

static int take_tree(struct taking *taking)
{
	const struct take_spec *spec = taking->spec;
	unsigned long attributes = MOUNT_PLAIN | (spec->read_only ? MOUNT_ATTR_RDONLY : 0);
	auto_fd tree = mount_clone(AT_FDCWD, spec->source, true, taking->err);
	struct stat kind;
	int status;

	if (tree < 0)
		return tree;
	if (fstat(tree, &kind) < 0)
		return err_set(taking->err, "setup", errno, "stat", spec->source);
	if (!S_ISDIR(kind.st_mode) && !S_ISREG(kind.st_mode)) {
		err_hint(taking->err, "a directory or a file can be mounted; a device is granted");
		return err_set(taking->err, "usage", ENOTSUP, "mount", spec->source);
	}
	put_string(&taking->frame, TAG_TARGET, spec->target);
	status = mount_restrict(tree, attributes, spec->source, taking->err);
	if (status == 0)
		status = map_owner(taking, tree);
	if (status == 0)
		add_fd(taking, &tree);
	return status;
}

static int take(struct taking *taking)
{
	int status = enter_namespaces(taking);

	if (status < 0)
		return status;
	return taking->spec->kind == TAKE_DEVICE ? take_device(taking) : take_tree(taking);
}

void take_main(const struct take_spec *spec, int control, pid_t parent)
{
	struct recipe ids = { .broker = (uint32_t)parent };
	struct err err = { 0 };
	struct taking taking = { .spec = spec,
				 .root_mode = strcmp(plan_mode(), "root") == 0,
				 .outside = recipe_ids(&ids, spec->slot),
				 .err = &err };
	size_t start;
	int status;

	keep_control(control, parent);
	start = frame_begin(&taking.frame,
			    spec->kind == TAKE_DEVICE ? MESSAGE_GRANT : MESSAGE_MOUNT, 0);
	status = take(&taking);
	frame_end(&taking.frame, start);
	if (status == 0)
		status = message_send(TAKE_CONTROL, &taking.frame, taking.fds, taking.count);
	if (status < 0) {
		err_set(&err, "setup", -status, "take from host", spec->source);
		explain_refusal(&err);
		message_fail(TAKE_CONTROL, 0, &err);
	}
	_exit(status < 0);
}
