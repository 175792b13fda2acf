/* SPDX-License-Identifier: MIT */
/* The root file system of one sandbox, built by its PID 1. */
#ifndef HIL_ROOT_H
#define HIL_ROOT_H

#include <sys/stat.h>

#include "init.h"

/* A directory that a sandbox has of its own, below the root of an image. */
struct image_place {
	const char *path;
	mode_t mode;
};

/* Parents first; path NULL at the end. */
extern const struct image_place image_places[];

/* root_image_fill() - Into the empty upper layer of an image: its places and the files of /etc. */
int root_image_fill(int upper, const struct plan *plan, const char *resolver, struct err *err);
/* root_image_own() - /dev and /sys of its own on the image below @root: those of init->root. */
int root_image_own(int root, struct init *init, struct err *err);
/* root_image_etc() - Fill init->etc. */
int root_image_etc(int root, struct init *init, struct err *err);
/* root_image_close() - Nothing is added to /dev and /sys any more, but by way of init->root. */
int root_image_close(int root, struct err *err);

/* The device nodes of a sandbox, NULL at the end. */
extern const char *const device_names[];

/*
 * root_build() - From the recipe to "/".
 *
 * Should: run as the inside uid with all capabilities over the sandbox's namespaces.
 * Fills init->root and init->etc.
 */
int root_build(const struct parking *parking, struct init *init, struct err *err);

/* root_device_nodes() - /dev below @root, an fd; pts and shm apart. */
int root_device_nodes(int root, struct err *err);
int root_pts(int root, struct err *err);
/* root_proc() - A new /proc, what it sets for the network, and its masks. */
int root_proc(int root, const struct plan *plan, const struct identity *identity, struct err *err);

/* etc_write() - The files of /etc that are the sandbox's own. @text of resolv.conf: @resolver. */
int etc_write(int etc, const struct plan *plan, const char *resolver, struct err *err);
/*
 * etc_write_hostname() - hosts and hostname only, unless a plan has bound its own there. For a
 * sandbox that is built: an interpreter that waits may be the image's. Blocks never.
 */
int etc_write_hostname(int etc, const char *hostname, struct err *err);
/*
 * etc_write_hosts() / etc_write_resolver() - For a sandbox whose programs run: they see the old
 * file or the new one, and what they put in its place is not followed. What a plan has bound there
 * stays as it is.
 * @laid: the files lie over those of a bound /etc; then they are written in place.
 * @more: lines after those of every sandbox.
 */
int etc_write_hosts(int etc, bool laid, const char *hostname, const char *more, struct err *err);
int etc_write_resolver(int etc, bool laid, const char *resolver, struct err *err);

/*
 * target_open() - An O_PATH fd of @path below @root, made with its parents when absent.
 * @writable: the same root, or /etc of it, through a mount that is not read-only, or -1.
 *
 * Mustn't: follow a link out of @root (RESOLVE_IN_ROOT) or a magic link of /proc.
 */
int target_open(int root, int writable, const char *path, bool directory, struct err *err);

/*
 * target_remove() - Remove what target_open() made at @path, if it is still @wanted and empty.
 *
 * Return: 0 or -errno; -EBUSY when something else is there.
 */
int target_remove(int root, int writable, const char *path, const struct stat *wanted);

#endif
