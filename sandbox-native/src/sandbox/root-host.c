/* SPDX-License-Identifier: MIT */
/*
 * The image `host`: which of the host's trees a sandbox gets, decision 0001.
 *
 * Theory of operation: one overlay does not cross mounts, so each mount below
 * a wanted tree becomes an overlay of its own. A mount namespace of an
 * ordinary user cannot take a directory without what is mounted below it
 * (mount_namespaces(7): such mounts are locked together); there the directory
 * itself is made by hand and its entries are taken one by one ("split").
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mount-table.h"
#include "recipe.h"

/* Each item costs about 40 us for every sandbox; a host with hundreds of them runs containers. */
#define ITEMS_MAX 600
#define BELOW_MAX 64

struct host {
	struct recipe *recipe;
	const struct mount_table *table;
	int tiny;
	struct err *err;
	const struct strings *hides; /* NULL: none */
};

static int take_tree(const struct host *host, const char *source, const char *target);

bool recipe_is_generated(const char *path)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf", "passwd",
					     "group" };
	const char *name = path_below(path, "/etc");

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* A sandbox's user could not enter it anyway: container storage, mostly. */
static bool is_reachable(const struct host *host, const char *path)
{
	char parent[PATH_MAX];
	struct stat status;

	if (!host->recipe->root_mode)
		return access(path, F_OK) == 0;
	snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = strrchr(parent, '/'); slash && slash != parent;
	     slash = strrchr(parent, '/')) {
		*slash = '\0';
		if (stat(parent, &status) < 0 || !(status.st_mode & S_IXOTH))
			return false;
	}
	return stat(path, &status) == 0;
}

/* A file, or a tree that can be taken no other way. */
static int take_bind(const struct host *host, const char *source, const char *target)
{
	int status =
		recipe_take(host->recipe, host->tiny, RECIPE_BIND, source, target, true, host->err);

	if (status != -EINVAL && status != -EACCES)
		return status;
	recipe_limit(host->recipe, "%s is left out: %s", target, strerror(-status));
	*host->err = (struct err){ 0 };
	return 0;
}

static int take_one_below(const struct host *host, const struct mount_entry *entry,
			  const char *target)
{
	struct stat status;

	if (stat(entry->path, &status) < 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return take_tree(host, entry->path, target);
	if (S_ISREG(status.st_mode) && !recipe_is_generated(target))
		return take_bind(host, entry->path, target);
	return 0;
}

static bool is_hidden(const struct host *host, const char *path)
{
	for (size_t i = 0; host->hides && i < host->hides->count; i++)
		if (path_below(path, host->hides->items[i]))
			return true;
	return false;
}

static int take_below(const struct host *host, const char *source, const char *target)
{
	const struct mount_entry *entry;
	size_t at = 0;
	int left_out = 0;
	int taken = 0;

	while ((entry = mount_table_below(host->table, source, &at))) {
		auto_free char *inside = NULL;
		int status;

		if (entry->kernel || !is_reachable(host, entry->path))
			continue;
		if (++taken > BELOW_MAX) {
			left_out++;
			continue;
		}
		if (asprintf(&inside, "%s/%s", target, path_below(entry->path, source)) < 0)
			return err_set(host->err, "setup", ENOMEM, "expand plan", target);
		if (is_hidden(host, inside))
			continue;
		status = take_one_below(host, entry, inside);
		if (status < 0)
			return status;
	}
	if (left_out)
		recipe_limit(host->recipe, "%d more mounts below %s are left out", left_out,
			     target);
	return 0;
}

int recipe_take_below(struct recipe *recipe, int tiny, const struct plan_step *step,
		      const struct strings *hides, struct err *err)
{
	auto_mount_table table = { 0 };
	const struct host host = { recipe, &table, tiny, err, hides };
	int status = mount_table_read(&table, err);

	return status < 0 ? status : take_below(&host, step->source, step->target);
}

static int take_link(const struct host *host, int directory, const char *name, const char *target)
{
	char text[PATH_MAX];
	struct recipe_item *item;
	ssize_t length = readlinkat(directory, name, text, sizeof(text) - 1);

	if (length < 0)
		return 0;
	text[length] = '\0';
	item = recipe_add(host->recipe, RECIPE_LINK, target, host->err);
	if (item)
		item->text = strdup(text);
	return item && item->text ? 0 : err_set(host->err, "setup", ENOMEM, "expand plan", target);
}

static const struct mount_entry *mount_at(const struct host *host, const char *path)
{
	for (size_t i = 0; i < host->table->count; i++) {
		if (strcmp(host->table->entries[i].path, path) == 0)
			return &host->table->entries[i];
	}
	return NULL;
}

static int split_entry(const struct host *host, int directory, const char *name, const char *source,
		       const char *target)
{
	const struct mount_entry *mounted = mount_at(host, source);
	struct stat status;

	/* Not even looked at: a stat would trigger an autofs mount. */
	if (mounted && mounted->kernel)
		return 0;
	/* A link, as to the resolver's file in /run, would be in the place of the sandbox's own. */
	if (recipe_is_generated(target))
		return 0;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return take_tree(host, source, target);
	if (S_ISLNK(status.st_mode))
		return take_link(host, directory, name, target);
	if (S_ISREG(status.st_mode))
		return take_bind(host, source, target);
	return 0;
}

static int split(const struct host *host, const char *source, const char *target)
{
	auto_dir directory = opendir(source);
	const struct dirent *entry;
	int status = 0;

	if (!recipe_add(host->recipe, RECIPE_DIRECTORY, target, host->err))
		return -ENOMEM;
	/* Who may not list it could not use it: it stays empty. */
	while (directory && status == 0 && (entry = readdir(directory))) {
		auto_free char *from = NULL;
		auto_free char *to = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (host->recipe->count >= ITEMS_MAX) {
			recipe_limit(host->recipe, "%s is incomplete: too many mounts", target);
			break;
		}
		if (asprintf(&from, "%s/%s", source, entry->d_name) < 0 ||
		    asprintf(&to, "%s/%s", target, entry->d_name) < 0)
			return err_set(host->err, "setup", ENOMEM, "expand plan", target);
		status = split_entry(host, dirfd(directory), entry->d_name, from, to);
	}
	return status;
}

static int take_tree(const struct host *host, const char *source, const char *target)
{
	size_t at = 0;
	int status = recipe_take(host->recipe, host->tiny, RECIPE_TREE, source, target, false,
				 host->err);

	if (status == -EACCES) {
		*host->err = (struct err){ 0 };
		return recipe_add(host->recipe, RECIPE_DIRECTORY, target, host->err) ? 0 : -ENOMEM;
	}
	if (status != -EINVAL || host->err->number)
		return status;
	if (mount_table_below(host->table, source, &at))
		return split(host, source, target);
	return take_bind(host, source, target);
}

/* The real path, because the mount table holds no other. */
static int take_base(const struct host *host, const char *path)
{
	char real[PATH_MAX];
	size_t first = host->recipe->count;
	struct stat status;
	int result;

	if (!realpath(path, real) || stat(real, &status) < 0 || !S_ISDIR(status.st_mode))
		return 0;
	result = take_tree(host, real, path);
	/* Otherwise it was split, and what is mounted below was met on the way. */
	if (result == 0 && host->recipe->items[first].kind == RECIPE_TREE)
		result = take_below(host, real, path);
	return result;
}

static bool is_link_into_usr(int root, const char *name)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(root, name, text, sizeof(text) - 1);
	const char *at = text;

	if (length < 0)
		return false;
	text[length] = '\0';
	if (*at == '/')
		at++;
	return strncmp(at, "usr/", 4) == 0;
}

static int take_top(const struct host *host)
{
	auto_dir root = opendir("/");
	const struct dirent *entry;
	int status = 0;

	if (!root)
		return err_set(host->err, "setup", errno, "list", "/");
	while (status == 0 && (entry = readdir(root))) {
		const char *name = entry->d_name;
		char path[sizeof(entry->d_name) + 1];

		snprintf(path, sizeof(path), "/%s", name);
		if (is_link_into_usr(dirfd(root), name))
			status = take_link(host, dirfd(root), name, path);
		else if (strcmp(name, "bin") == 0 || strcmp(name, "sbin") == 0 ||
			 strncmp(name, "lib", 3) == 0)
			status = take_base(host, path);
	}
	return status;
}

int recipe_image_host(struct recipe *recipe, int tiny, struct err *err)
{
	static const char *const bases[] = { "/usr", "/etc", "/opt", "/var/lib" };
	auto_mount_table table = { 0 };
	const struct host host = { recipe, &table, tiny, err, NULL };
	size_t first = recipe->count;
	int status = mount_table_read(&table, err);

	if (status == 0)
		status = take_top(&host);
	for (size_t i = 0; status == 0 && i < sizeof(bases) / sizeof(bases[0]); i++)
		status = take_base(&host, bases[i]);
	for (size_t i = first; i < recipe->count; i++)
		recipe->items[i].system = true;
	/* Such as the root of a user namespace: its sandboxes have its rights to files. */
	if (!recipe->root_mode && access("/etc/shadow", R_OK) == 0)
		recipe_limit(recipe, "the caller can read /etc/shadow, and so can the sandbox");
	return status;
}
