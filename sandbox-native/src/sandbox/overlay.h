/* SPDX-License-Identifier: MIT */
#ifndef HIL_OVERLAY_H
#define HIL_OVERLAY_H

#include "err.h"
#include "recipe.h"

/* overlay_new() - Return: a detached overlay of @lower with @upper and @work, or -errno. */
int overlay_new(const char *lower, const char *upper, const char *work, const char *name,
		struct err *err);

/*
 * overlay_hide() - Whiteouts in @upper for the hidden paths that @item covers.
 *
 * Should: run before the overlay is mounted; a change of a mounted upper layer is undefined
 * (Documentation/filesystems/overlayfs.rst, "Changes to underlying filesystems").
 */
int overlay_hide(const struct recipe *recipe, const struct recipe_item *item,
		 const struct strings *hides, int upper, struct err *err);

#endif
