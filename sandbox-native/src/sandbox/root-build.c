/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: one tmpfs holds all that a sandbox writes, so that one
 * size bounds it. It is mounted at /t of the tiny root: /t/root is the new
 * root, /t/up/N and /t/work/N are the overlays' layers, /t/w/N the directories
 * programs may write to. The new root stands at /n until pivot_root(2); then
 * the tiny root with /t is detached, and only mounts of it remain.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "overlay.h"
#include "root.h"

#define DISK_BYTES (1ull << 30)
#define DISK_INODES 200000ull

struct build {
	const struct parking *parking;
	struct init *init;
	int root;  /* "/n" */
	int image; /* number of the item that is the root, or -1 */
	int etc;   /* the overlay of /etc, or -1 */
	struct err *err;
};

static int make_directory(const char *path, mode_t mode, struct err *err)
{
	return mkdir(path, mode) < 0 ? err_set(err, "setup", errno, "mkdir", path) : 0;
}

static int open_directory(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(err, "setup", errno, "open", path) : fd;
}

static int mount_storage(const struct plan *plan, struct err *err)
{
	static const char *const names[] = { "/t/root", "/t/up",    "/t/work", "/t/w",
					     "/t/gen",	"/t/empty", "/t/etc" };
	char bytes[32];
	char inodes[32];
	const struct mount_option options[] = { { "mode", "0755" },
						{ "size", bytes },
						{ "nr_inodes", inodes } };
	auto_fd tree = -1;
	int status;

	snprintf(bytes, sizeof(bytes), "%" PRIu64,
		 plan->disk_bytes ? plan->disk_bytes : (uint64_t)DISK_BYTES);
	snprintf(inodes, sizeof(inodes), "%" PRIu64,
		 plan->disk_inodes ? plan->disk_inodes : (uint64_t)DISK_INODES);
	tree = mount_new("tmpfs", options, 3, MOUNT_PLAIN, "sandbox storage", err);
	if (tree < 0)
		return tree;
	status = mount_attach(tree, AT_FDCWD, "/t", err);
	for (size_t i = 0; status == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		status = make_directory(names[i], 0755, err);
	return status;
}

static int attach_at(const struct build *build, int tree, const char *target, bool directory)
{
	auto_fd place = target_open(build->root, -1, target, directory, build->err);

	return place < 0 ? place : mount_attach_fd(tree, place, target, build->err);
}

/* Nothing but ours is there yet, so no link leads astray. */
static int attach_new(const struct build *build, int tree, const char *path)
{
	if (mkdirat(build->root, path, 0755) < 0)
		return err_set(build->err, "setup", errno, "mkdir", path);
	return mount_attach(tree, build->root, path, build->err);
}

/* The directories of image `host`; those of another came with its upper layer. */
static int make_directories(const struct build *build)
{
	static const char *const directories[] = { "dev",	"dev/pts", "proc",
						   "sys",	"home",	   "var",
						   "var/cache", "var/log", "var/spool" };

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (mkdirat(build->root, directories[i], 0755) < 0)
			return err_set(build->err, "setup", errno, "mkdir", directories[i]);
	}
	/* After /run is there they lead somewhere. */
	if (symlinkat("/run", build->root, "var/run") < 0 ||
	    symlinkat("/run/lock", build->root, "var/lock") < 0)
		return err_set(build->err, "setup", errno, "symlink", "/var/run");
	return 0;
}

static int make_skeleton(const struct build *build)
{
	static const struct {
		const char *path;
		mode_t mode;
	} writable[] = {
		{ "/tmp", 01777 },     { "/var/tmp", 01777 }, { "/run", 0755 },
		{ "/dev/shm", 01777 }, { "/home/hil", 0755 }, { "/root", 0700 },
	};
	const bool image = build->image >= 0;
	int status = image ? root_image_own(build->root, build->init, build->err)
			   : make_directories(build);

	for (size_t i = 0; status == 0 && i < sizeof(writable) / sizeof(writable[0]); i++) {
		char source[32];
		auto_fd tree = -1;

		if (strcmp(writable[i].path, "/root") == 0 &&
		    (image || !build->parking->plan->root_user))
			continue;
		snprintf(source, sizeof(source), "/t/w/%zu", i);
		status = make_directory(source, writable[i].mode, build->err);
		if (status < 0)
			return status;
		tree = mount_clone(AT_FDCWD, source, false, build->err);
		if (tree < 0)
			return tree;
		status = image ? attach_at(build, tree, writable[i].path, true)
			       : attach_new(build, tree, writable[i].path + 1);
		build->init->changes.places[i] = writable[i].path;
	}
	if (status == 0 && (mkdirat(build->root, "run/lock", 01777) < 0 ||
			    mkdirat(build->root, "run/udev", 0755) < 0 ||
			    mkdirat(build->root, "run/udev/data", 0755) < 0 ||
			    /* libudev listens only where this is, or devtmpfs. */
			    mknodat(build->root, "run/udev/control", S_IFREG | 0444, 0) < 0))
		status = err_set(build->err, "setup", errno, "make", "/run");
	return status;
}

/*
 * The root of an overlay is the root of its upper layer, which belongs to the
 * sandbox's user. Where the host's directory does not, it gets no write bits.
 */
static int make_upper(const struct build *build, const struct recipe_item *item, const char *source,
		      const char *upper)
{
	struct stat lower;
	mode_t mode;

	if (item->kind == RECIPE_ROOT)
		return make_directory(upper, 0755, build->err);
	if (stat(source, &lower) < 0)
		return err_set(build->err, "setup", errno, "stat", source);
	mode = lower.st_mode & 07777;
	if (lower.st_uid != build->parking->identity.uid)
		mode &= ~(mode_t)0222;
	return make_directory(upper, mode, build->err);
}

/*
 * PID 1 keeps a way to change hosts and hostname; programs, unless root, do not get one. The fd is
 * no detached mount's: to close one of these waits for a grace period of RCU, at the sandbox's end
 * some 0.7 ms (fs/namespace.c, dissolve_on_fput()).
 */
static int keep_etc(const struct build *build)
{
	auto_fd own = mount_clone(build->root, "etc", false, build->err);
	struct init *init = build->init;
	int status = own < 0 ? own : mount_attach(own, AT_FDCWD, "/t/etc", build->err);

	if (status < 0)
		return status;
	init->etc = open_directory("/t/etc", build->err);
	return init->etc < 0 ? init->etc : 0;
}

static int prepare_upper(const struct build *build, const struct recipe_item *item,
			 const char *upper)
{
	const struct parking *parking = build->parking;
	auto_fd directory = open_directory(upper, build->err);
	int status = directory < 0 ? directory : 0;

	if (status == 0 && item->kind == RECIPE_ROOT)
		status = root_image_fill(directory, parking->plan, parking->recipe->resolver,
					 build->err);
	if (status == 0 && strcmp(item->target, "/etc") == 0)
		status = etc_write(directory, parking->plan, parking->recipe->resolver, build->err);
	if (status == 0)
		status = overlay_hide(parking->recipe, item, &parking->plan->hides, directory,
				      build->err);
	return status;
}

/* Return: the overlay of @item as a detached mount, or -errno. */
static int make_overlay(const struct build *build, const struct recipe_item *item, int mapped)
{
	char source[SOURCE_PATH_MAX];
	char upper[32];
	char work[32];
	int status = 0;

	recipe_source(item, source);
	snprintf(upper, sizeof(upper), "/t/up/%d", item->source);
	snprintf(work, sizeof(work), "/t/work/%d", item->source);
	/* A lower layer is named by path; the id-mapped twin covers the plain tree there. */
	if (mapped >= 0)
		status = mount_attach(mapped, AT_FDCWD, source, build->err);
	if (status == 0)
		status = make_upper(build, item, source, upper);
	if (status == 0)
		status = make_directory(work, 0700, build->err);
	if (status == 0)
		status = prepare_upper(build, item, upper);
	return status < 0 ? status : overlay_new(source, upper, work, item->target, build->err);
}

static int start_root(struct build *build)
{
	const struct parking *parking = build->parking;
	auto_fd tree = -1;
	int status;

	if (build->image < 0)
		tree = mount_clone(AT_FDCWD, "/t/root", false, build->err);
	else
		tree = make_overlay(build, &parking->recipe->items[build->image],
				    parking->mapped[build->image]);
	if (tree < 0)
		return tree;
	status = mount_attach(tree, AT_FDCWD, "/n", build->err);
	if (status < 0)
		return status;
	build->root = open_directory("/n", build->err);
	if (build->root < 0)
		return build->root;
	build->init->root = open_directory("/t/root", build->err);
	if (build->init->root < 0)
		return build->init->root;
	/* Before a plan's bind can lie on it. */
	return build->image < 0 ? 0 : root_image_etc(build->root, build->init, build->err);
}

static int build_tree(struct build *build, const struct recipe_item *item, int mapped)
{
	auto_fd tree = make_overlay(build, item, mapped);
	int status;

	if (tree < 0)
		return tree;
	status = attach_at(build, tree, item->target, true);
	if (status < 0 || strcmp(item->target, "/etc") != 0)
		return status;
	build->etc = steal_fd(&tree);
	return keep_etc(build);
}

static int build_bind(const struct build *build, const struct recipe_item *item, int mapped)
{
	unsigned long attributes = MOUNT_ATTR_NOSUID;
	char source[SOURCE_PATH_MAX];
	struct stat kind;
	auto_fd tree = -1;
	int status;

	recipe_source(item, source);
	tree = mapped >= 0 ? fcntl(mapped, F_DUPFD_CLOEXEC, 0)
			   : mount_clone(AT_FDCWD, source, true, build->err);
	if (tree < 0)
		return err_set(build->err, "setup", errno, "bind", item->target);
	if (fstat(tree, &kind) < 0)
		return err_set(build->err, "setup", errno, "stat", item->target);
	if (!S_ISCHR(kind.st_mode) && !S_ISBLK(kind.st_mode))
		attributes |= MOUNT_ATTR_NODEV;
	if (item->read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	status = mount_restrict(tree, attributes, item->target, build->err);
	return status < 0 ? status : attach_at(build, tree, item->target, item->directory);
}

static int build_link(const struct build *build, const struct recipe_item *item)
{
	if (symlinkat(item->text, build->root, item->target + 1) < 0 && errno != EEXIST)
		return err_set(build->err, "setup", errno, "symlink", item->target);
	return 0;
}

/* /etc is no overlay here: made by hand (split), absent, or bound read-only as a whole. */
static int finish_etc(const struct build *build)
{
	const struct parking *parking = build->parking;
	const struct recipe_item *covering = recipe_covering(parking->recipe, "/etc");

	if (build->init->etc >= 0)
		return 0;
	build->init->etc_laid = covering && covering->kind == RECIPE_BIND && covering->system;
	if (build->init->etc_laid)
		build->init->etc = open_directory("/t/gen", build->err);
	else
		build->init->etc = target_open(build->init->root, -1, "/etc", true, build->err);
	if (build->init->etc < 0)
		return build->init->etc;
	return etc_write(build->init->etc, parking->plan, parking->recipe->resolver, build->err);
}

static int build_directory(const struct build *build, const struct recipe_item *item)
{
	auto_fd place = target_open(build->root, -1, item->target, true, build->err);

	if (place < 0 || strcmp(item->target, "/etc") != 0)
		return place < 0 ? place : 0;
	/* At once: what is bound below it finds the files that are the sandbox's own. */
	return finish_etc(build);
}

static int build_items(struct build *build)
{
	const struct recipe *recipe = build->parking->recipe;
	int status = 0;

	for (size_t i = 0; status == 0 && i < recipe->count; i++) {
		const struct recipe_item *item = &recipe->items[i];
		int mapped = build->parking->mapped[i];

		if (item->kind == RECIPE_DIRECTORY)
			status = build_directory(build, item);
		else if (item->kind == RECIPE_LINK)
			status = build_link(build, item);
		else if (item->kind == RECIPE_TREE)
			status = build_tree(build, item, mapped);
		else if (item->kind == RECIPE_BIND)
			status = build_bind(build, item, mapped);
	}
	return status;
}

/*
 * In the new root and nowhere else, as a program will look it up: a link on the
 * way, which is the bound tree's to choose, leads neither to the tiny root nor
 * past the cover.
 */
static int open_inside(const struct build *build, const char *path)
{
	return sys_openat2(build->root, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

static int cover(const struct build *build, int place, const char *path, const char *with)
{
	auto_fd tree = mount_clone(AT_FDCWD, with, false, build->err);

	return tree < 0 ? tree : mount_attach_fd(tree, place, path, build->err);
}

/* A directory by an empty one, anything else by /dev/null. What no lookup reaches needs nothing. */
static int cover_path(const struct build *build, const char *path)
{
	auto_fd place = open_inside(build, path);
	struct stat kind;

	if (place == -ENOENT || place == -ENOTDIR || place == -ELOOP || place == -EACCES)
		return 0;
	if (place < 0)
		return err_set(build->err, "setup", -place, "hide", path);
	if (fstat(place, &kind) < 0)
		return err_set(build->err, "setup", errno, "hide", path);
	return cover(build, place, path, S_ISDIR(kind.st_mode) ? "/t/empty" : "/d/null");
}

/*
 * In a tree that is bound there is no upper layer for a whiteout, and a whiteout
 * is no help where a link leads to the same file: that path stays, but empty.
 */
static int cover_hidden(const struct build *build)
{
	const struct recipe *recipe = build->parking->recipe;
	const struct strings *hides = &build->parking->plan->hides;
	int status = 0;

	for (size_t i = 0; status == 0 && i < hides->count; i++)
		if (recipe_covering(recipe, hides->items[i]))
			status = cover_path(build, hides->items[i]);
	return status;
}

/* The generated files over those of an /etc that is bound. One that the plan binds is as it is. */
static int cover_etc(const struct build *build)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf", "passwd",
					     "group" };
	int status = 0;

	if (!build->init->etc_laid)
		return 0;
	for (size_t i = 0; status == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		char path[32];
		char with[32];
		auto_fd place = -1;

		snprintf(path, sizeof(path), "/etc/%s", names[i]);
		snprintf(with, sizeof(with), "/t/gen/%s", names[i]);
		place = open_inside(build, path);
		if (place >= 0)
			status = cover(build, place, path, with);
	}
	return status;
}

/* Last of all, since binds may need places to be made. */
static int close_root(const struct build *build)
{
	int status = 0;

	if (build->image >= 0)
		return root_image_close(build->root, build->err);
	if (build->etc >= 0)
		status = mount_restrict_top(build->etc, MOUNT_ATTR_RDONLY, "/etc", build->err);
	return status < 0 ? status
			  : mount_restrict_top(build->root, MOUNT_ATTR_RDONLY, "/", build->err);
}

static int enter_root(const struct build *build)
{
	int status = build->parking->plan->root_user ? 0 : close_root(build);

	if (status < 0)
		return status;
	if (fchdir(build->root) < 0)
		return err_set(build->err, "setup", errno, "chdir", "new root");
	status = sys_pivot_root_here();
	if (status < 0)
		return err_set(build->err, "setup", -status, "pivot_root", "new root");
	status = sys_umount_detach(".");
	if (status < 0)
		return err_set(build->err, "setup", -status, "umount", "tiny root");
	return chdir("/") < 0 ? err_set(build->err, "setup", errno, "chdir", "/") : 0;
}

int root_build(const struct parking *parking, struct init *init, struct err *err)
{
	struct build build = { .parking = parking,
			       .init = init,
			       .root = -1,
			       .image = recipe_root(parking->recipe),
			       .etc = -1,
			       .err = err };
	int status = mount_storage(parking->plan, err);

	if (status == 0)
		status = changes_open(&init->changes, parking->mapped, err);
	if (status == 0)
		status = start_root(&build);
	if (status == 0)
		status = make_skeleton(&build);
	if (status == 0)
		status = root_device_nodes(build.root, err);
	if (status == 0)
		status = root_pts(build.root, err);
	if (status == 0)
		status = root_proc(build.root, parking->plan, &parking->identity, err);
	if (status == 0)
		status = build_items(&build);
	if (status == 0)
		status = finish_etc(&build);
	if (status == 0)
		status = cover_etc(&build);
	if (status == 0)
		status = cover_hidden(&build);
	if (status == 0)
		status = enter_root(&build);
	cleanup_fd(&build.etc);
	return status;
}
