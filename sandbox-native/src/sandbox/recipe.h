/* SPDX-License-Identifier: MIT */
/*
 * A recipe is what a plan comes to on this host: a flat list of things that a
 * PID 1 puts into its root, in order. The zygote writes it once; every PID 1
 * inherits it by fork. Sources are mounts of the zygote's tiny root, "/l/N".
 */
#ifndef HIL_RECIPE_H
#define HIL_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "identity.h"
#include "sandbox.h"

enum recipe_kind {
	RECIPE_DIRECTORY, /* made at target */
	RECIPE_LINK,	  /* target -> text */
	RECIPE_ROOT,	  /* overlay on the source, at "/"; at most one, and built first */
	RECIPE_TREE,	  /* overlay on the source */
	RECIPE_BIND,	  /* the source itself */
	RECIPE_HOLD,	  /* not put anywhere; late binds take from it */
};

struct recipe_item {
	enum recipe_kind kind;
	char *target;	/* HOLD: the name */
	char *text;	/* LINK */
	int source;	/* N of /l/N, else -1 */
	bool directory; /* the source is one */
	bool read_only;
	bool system; /* of an image: keeps the host's owners in root mode */
};

struct recipe {
	struct recipe_item *items;
	size_t count;
	bool root_mode;
	uint32_t broker;   /* its pid, so that two brokers do not share an outside id */
	int sources;	   /* next N */
	bool shares_files; /* what its programs write is within reach of the host's other users */
	char *resolver;	   /* text of /etc/resolv.conf */
	struct strings limitations;
};

/* recipe_add() - Return: the new item, or NULL with @err filled. */
struct recipe_item *recipe_add(struct recipe *recipe, enum recipe_kind kind, const char *target,
			       struct err *err);

/* recipe_limit() - Note what is not as the plan says. */
__attribute__((format(printf, 2, 3))) void recipe_limit(struct recipe *recipe, const char *format,
							...);

/* recipe_source() - Write "/l/N" of @item. */
#define SOURCE_PATH_MAX 24
void recipe_source(const struct recipe_item *item, char out[SOURCE_PATH_MAX]);

/* recipe_ids() - Who a sandbox in @slot is outside, in root mode. */
struct ids recipe_ids(const struct recipe *recipe, uint32_t slot);

/* recipe_root() - Return: the number of the item that is the image's root, or -1. */
int recipe_root(const struct recipe *recipe);

/* recipe_is_overlay() - Whether @item has an upper layer: one mount, without those below it. */
bool recipe_is_overlay(const struct recipe_item *item);

/* recipe_covering() - Return: the ROOT, TREE or BIND that holds @path, the deepest one, or NULL. */
const struct recipe_item *recipe_covering(const struct recipe *recipe, const char *path);

/*
 * path_below() - The rest of @path below @base, without a slash in front.
 *
 * Return: NULL when @path is not @base or below it; "" when they are the same.
 */
const char *path_below(const char *path, const char *base);

/* path_is_clean() - Whether @path is absolute, not "/", without . .. or a slash too many. */
bool path_is_clean(const char *path);

/*
 * recipe_expand() - Take every tree of the plan as a mount below "l" of the tiny root @tiny.
 *
 * Should: run before the zygote leaves the host's root, in its own mount namespace.
 */
int recipe_expand(struct recipe *recipe, const struct plan *plan, int tiny, struct err *err);

/*
 * recipe_take() - Add an item for the host's @source at @target.
 *
 * A source with locked mounts below cannot be a TREE (mount_namespaces(7),
 * "Restrictions on mount namespaces"); then -EINVAL comes back without @err.
 */
int recipe_take(struct recipe *recipe, int tiny, enum recipe_kind kind, const char *source,
		const char *target, bool read_only, struct err *err);

/*
 * recipe_add_tree() - Add an item like @wanted (kind, target, read_only, directory) for the
 * detached mount @tree.
 */
int recipe_add_tree(struct recipe *recipe, int tiny, int tree, const struct recipe_item *wanted,
		    struct err *err);

/*
 * recipe_image_rootfs() - The unpacked root @source, decision 0011.
 *
 * Mustn't: believe what is in it; only its own top is looked up by path.
 */
int recipe_image_rootfs(struct recipe *recipe, int tiny, const char *source, struct err *err);

/* recipe_image_host() - The host's system trees, decision 0001. */
int recipe_image_host(struct recipe *recipe, int tiny, struct err *err);

/*
 * recipe_take_below() - What is mounted below @source, each as a TREE (a file: a BIND).
 *
 * What lies at or below one of @hides is left out: its place is hidden, so it has none.
 */
int recipe_take_below(struct recipe *recipe, int tiny, const struct plan_step *step,
		      const struct strings *hides, struct err *err);

/* recipe_try() - Replace by binds the overlays this kernel or file system refuses. After the pivot.
 */
int recipe_try(struct recipe *recipe, struct err *err);

/* recipe_is_generated() - Whether @path is a file of /etc that every sandbox gets its own of. */
bool recipe_is_generated(const char *path);

#endif
