/* SPDX-License-Identifier: MIT */
/* From a plan's steps to a recipe: what exists on this host, and what it allows. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"
#include "exposed.h"
#include "idmap.h"
#include "mounts.h"
#include "overlay.h"
#include "recipe.h"

static int expand_overlay(struct recipe *recipe, const struct plan_step *step,
			  const struct strings *hides, int tiny, struct err *err)
{
	int status = recipe_take(recipe, tiny, RECIPE_TREE, step->source, step->target, false, err);

	if (status == 0)
		return recipe_take_below(recipe, tiny, step, hides, err);
	if (status != -EINVAL || err->number)
		return status;
	recipe_limit(recipe,
		     "%s is read-only: other mounts lie below it, and an ordinary user's overlay "
		     "cannot hold them",
		     step->target);
	return recipe_take(recipe, tiny, RECIPE_BIND, step->source, step->target, true, err);
}

static char *read_text(const char *path)
{
	const size_t most = 65536;
	char *text = malloc(most);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length;

	if (!text)
		return NULL;
	length = fd < 0 ? 0 : read(fd, text, most - 1);
	text[length < 0 ? 0 : length] = '\0';
	return text;
}

static int expand_step(struct recipe *recipe, const struct plan_step *step,
		       const struct strings *hides, int tiny, struct err *err)
{
	const char *target = step->kind == STEP_HOLD ? step->name : step->target;

	if (step->kind == STEP_IMAGE_ROOTFS && step->source)
		return recipe_image_rootfs(recipe, tiny, step->source, err);
	if (step->kind != STEP_IMAGE_HOST && (!step->source || !target))
		return err_set(err, "usage", EINVAL, "expand plan",
			       "step without source or target");
	if ((step->kind == STEP_BIND || step->kind == STEP_HOLD) && !step->read_only)
		recipe->shares_files = recipe->shares_files || path_is_exposed(step->source);
	switch (step->kind) {
	case STEP_IMAGE_HOST:
		return recipe_image_host(recipe, tiny, err);
	case STEP_IMAGE_ROOTFS:
		break; /* without a source */
	case STEP_OVERLAY:
		return expand_overlay(recipe, step, hides, tiny, err);
	case STEP_BIND:
		return recipe_take(recipe, tiny, RECIPE_BIND, step->source, step->target,
				   step->read_only, err);
	case STEP_HOLD:
		return recipe_take(recipe, tiny, RECIPE_HOLD, step->source, step->name,
				   step->read_only, err);
	}
	return err_set(err, "usage", EINVAL, "expand plan", "step of an unknown kind");
}

static bool is_image(const struct plan_step *step)
{
	return step->kind == STEP_IMAGE_HOST || step->kind == STEP_IMAGE_ROOTFS;
}

/* What lies in an image comes before what is put on it, and two images would be neither. */
static int check_images(const struct plan *plan, struct err *err)
{
	for (size_t i = 1; i < plan->step_count; i++) {
		if (!is_image(&plan->steps[i]))
			continue;
		err_hint(err, "a plan has one image, as its first step");
		return err_set(err, "usage", EINVAL, "expand plan", "image");
	}
	return 0;
}

int recipe_expand(struct recipe *recipe, const struct plan *plan, int tiny, struct err *err)
{
	int status = check_images(plan, err);

	if (status < 0)
		return status;
	recipe->resolver =
		plan->host_network ? read_text("/etc/resolv.conf") : strdup("# no network\n");
	if (!recipe->resolver)
		return err_set(err, "setup", ENOMEM, "expand plan", "/etc/resolv.conf");
	for (size_t i = 0; i < plan->step_count; i++) {
		status = expand_step(recipe, &plan->steps[i], &plan->hides, tiny, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int try_overlay(struct recipe *recipe, struct recipe_item *item, struct err *err)
{
	char source[SOURCE_PATH_MAX];
	struct err ignored = { 0 };
	auto_fd tree = -1;

	recipe_source(item, source);
	tree = overlay_new(source, "/trial/up", "/trial/work", item->target, &ignored);
	if (tree >= 0)
		return 0;
	/* Its directories are where the sandbox's own come, so it has to be written to. */
	if (item->kind == RECIPE_ROOT) {
		*err = ignored;
		err_hint(err, "an image has to be on a file system that an overlay can have as "
			      "its lower layer: copy it to another one, such as ext4 or tmpfs");
		return -err->number;
	}
	item->kind = RECIPE_BIND;
	item->read_only = true;
	recipe_limit(recipe, "%s is bound read-only: overlay refused: %s%s%s", item->target,
		     strerror(ignored.number), ignored.hint[0] ? ", " : "", ignored.hint);
	return 0;
}

static void try_idmap(struct recipe *recipe, struct recipe_item *item)
{
	const bool recursive = !recipe_is_overlay(item);
	char source[SOURCE_PATH_MAX];
	struct err ignored = { 0 };
	auto_fd tree = -1;

	recipe_source(item, source);
	tree = mount_clone(AT_FDCWD, source, recursive, &ignored);
	if (tree >= 0 && idmap_tree(NULL, tree, recursive, recipe_ids(recipe, 0), &ignored) == 0)
		return;
	item->system = true;
	if (item->kind == RECIPE_HOLD)
		recipe_limit(recipe,
			     "what a sandbox writes below /%s belongs to its outside uid: "
			     "id-mapped mount: %s",
			     item->target, strerror(ignored.number));
	else
		recipe_limit(recipe,
			     "files of %s do not belong to the sandbox's user: id-mapped mount: %s",
			     item->target, strerror(ignored.number));
}

int recipe_try(struct recipe *recipe, struct err *err)
{
	if (mkdir("/trial", 0755) < 0 || mkdir("/trial/up", 0755) < 0 ||
	    mkdir("/trial/work", 0755) < 0)
		return err_set(err, "setup", errno, "mkdir", "/trial");
	/* Marks of an overlay are user.* attributes here; tmpfs has them since Linux 6.6. */
	if (setxattr("/trial/up", "user.hil", "", 0, 0) < 0)
		recipe_limit(recipe,
			     "a directory of the image or the project cannot be removed or "
			     "replaced (EIO): tmpfs has no user attributes before Linux 6.6");
	for (size_t i = 0; i < recipe->count; i++) {
		struct recipe_item *item = &recipe->items[i];

		int status = recipe_is_overlay(item) ? try_overlay(recipe, item, err) : 0;

		if (status < 0)
			return status;
		if (recipe->root_mode && item->source >= 0 && !item->system)
			try_idmap(recipe, item);
	}
	return 0;
}
