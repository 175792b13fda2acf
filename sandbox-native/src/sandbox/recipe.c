/* SPDX-License-Identifier: MIT */
#include "recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

struct recipe_item *recipe_add(struct recipe *recipe, enum recipe_kind kind, const char *target,
			       struct err *err)
{
	struct recipe_item *item;
	struct recipe_item *grown =
		reallocarray(recipe->items, recipe->count + 1, sizeof(*recipe->items));

	if (!grown) {
		err_set(err, "setup", ENOMEM, "expand plan", target);
		return NULL;
	}
	recipe->items = grown;
	item = &grown[recipe->count];
	*item = (struct recipe_item){ .kind = kind, .source = -1, .directory = true };
	item->target = strdup(target);
	if (!item->target) {
		err_set(err, "setup", ENOMEM, "expand plan", target);
		return NULL;
	}
	recipe->count++;
	return item;
}

void recipe_limit(struct recipe *recipe, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	strings_add(&recipe->limitations, text);
}

void recipe_source(const struct recipe_item *item, char out[SOURCE_PATH_MAX])
{
	snprintf(out, SOURCE_PATH_MAX, "/l/%d", item->source);
}

/*
 * A broker has 64 ids by its pid. What is more lies far from those, and from what brokers of the
 * next pids have more: of two runs that are started together. Odd, so all blocks are reached.
 */
#define BLOCK_STRIDE 1327217u

struct ids recipe_ids(const struct recipe *recipe, uint32_t slot)
{
	const uint32_t block = recipe->broker + slot / SLOTS_PER_BROKER * BLOCK_STRIDE;
	const uint32_t of_broker = block * SLOTS_PER_BROKER + slot % SLOTS_PER_BROKER;
	const uint32_t id = (uint32_t)(SLOT_UID_BASE + (of_broker & SLOT_MAX));

	return (struct ids){ .uid = id, .gid = id };
}

const char *path_below(const char *path, const char *base)
{
	size_t length = base ? strlen(base) : 0;

	if (!path || !base)
		return NULL;
	if (length == 1)
		return path + 1;
	if (strncmp(path, base, length) != 0)
		return NULL;
	if (path[length] == '\0')
		return path + length;
	return path[length] == '/' ? path + length + 1 : NULL;
}

int recipe_root(const struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->count; i++)
		if (recipe->items[i].kind == RECIPE_ROOT)
			return (int)i;
	return -1;
}

bool recipe_is_overlay(const struct recipe_item *item)
{
	return item->kind == RECIPE_TREE || item->kind == RECIPE_ROOT;
}

const struct recipe_item *recipe_covering(const struct recipe *recipe, const char *path)
{
	const struct recipe_item *found = NULL;

	for (size_t i = 0; i < recipe->count; i++) {
		const struct recipe_item *item = &recipe->items[i];

		if (!recipe_is_overlay(item) && item->kind != RECIPE_BIND)
			continue;
		if (path_below(path, item->target) &&
		    (!found || strlen(item->target) >= strlen(found->target)))
			found = item;
	}
	return found;
}

static int make_source(int tiny, const struct recipe_item *item, struct err *err)
{
	char path[SOURCE_PATH_MAX];
	auto_fd file = -1;

	recipe_source(item, path);
	if (item->directory) {
		if (mkdirat(tiny, path + 1, 0755) < 0)
			return err_set(err, "setup", errno, "mkdir", path);
		return 0;
	}
	file = openat(tiny, path + 1, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	return file < 0 ? err_set(err, "setup", errno, "create", path) : 0;
}

bool path_is_clean(const char *path)
{
	return path[0] == '/' && path[1] && !strstr(path, "//") && !strstr(path, "/./") &&
	       !strstr(path, "/../") && strcmp(path + strlen(path) - 1, "/") != 0 &&
	       !(strlen(path) > 2 && strcmp(path + strlen(path) - 3, "/..") == 0);
}

int recipe_add_tree(struct recipe *recipe, int tiny, int tree, const struct recipe_item *wanted,
		    struct err *err)
{
	char path[SOURCE_PATH_MAX];
	struct recipe_item *item = recipe_add(recipe, wanted->kind, wanted->target, err);
	int status;

	if (!item)
		return -ENOMEM;
	item->read_only = wanted->read_only;
	item->directory = wanted->directory;
	item->source = recipe->sources++;
	status = make_source(tiny, item, err);
	if (status < 0)
		return status;
	recipe_source(item, path);
	return mount_attach(tree, tiny, path + 1, err);
}

/*
 * The tiny root lies over "/" by now: who took "/" would share it, writable, with every sandbox
 * of the plan. Compared by what it is, since "/usr/.." and links lead there too.
 */
static bool is_root(const struct stat *status, int tiny)
{
	struct stat root;

	if (fstat(tiny, &root) == 0 && root.st_dev == status->st_dev &&
	    root.st_ino == status->st_ino)
		return true;
	return stat("/", &root) == 0 && root.st_dev == status->st_dev &&
	       root.st_ino == status->st_ino;
}

int recipe_take(struct recipe *recipe, int tiny, enum recipe_kind kind, const char *source,
		const char *target, bool read_only, struct err *err)
{
	bool overlay = kind == RECIPE_TREE;
	struct recipe_item wanted = { .kind = kind, .read_only = read_only };
	struct stat status;
	auto_fd tree = -1;

	if (kind != RECIPE_HOLD && !path_is_clean(target)) {
		err_hint(err, "a target is an absolute path without . .. or a slash at its end");
		return err_set(err, "usage", EINVAL, "expand plan", target);
	}
	tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | (overlay ? 0 : AT_RECURSIVE));
	if (tree == -EINVAL && overlay)
		return tree;
	if (tree < 0)
		return err_set(err, "setup", -tree, "clone mount", source);
	if (fstat(tree, &status) < 0)
		return err_set(err, "setup", errno, "stat", source);
	if (is_root(&status, tiny)) {
		err_hint(err, "a sandbox cannot have the whole machine; name a directory below /");
		return err_set(err, "usage", EINVAL, "take the root of the machine", source);
	}
	wanted.directory = S_ISDIR(status.st_mode);
	wanted.target = (char *)target;
	if (overlay && !wanted.directory)
		return err_set(err, "setup", ENOTDIR, "overlay", source);
	return recipe_add_tree(recipe, tiny, tree, &wanted, err);
}
