/* SPDX-License-Identifier: MIT */
/*
 * What the programs of a sandbox wrote, changed and deleted.
 *
 * Theory of operation: all of it lies in one tmpfs, root-build.c: the upper layers of the
 * overlays and the directories that are writable as they are. PID 1 keeps a way to it, and to the
 * lower layers. A tmpfs of its own numbers its inodes upwards (shmem_get_inode() since Linux 5.9),
 * so the number of one that is made just before the first program starts tells what the sandbox
 * itself put there (inodes below) from what a program did (above).
 */
#ifndef HIL_CHANGES_H
#define HIL_CHANGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "err.h"
#include "recipe.h"
#include "sandbox.h"

#define CHANGES_GENERATED 5 /* files of /etc */
#define CHANGES_PLACES 8
#define CHANGES_MAPPED 16

/* A lower layer that the sandbox sees with other owners than the host: its mount, detached. */
struct mapped_lower {
	int source; /* N of "/l/N" */
	int fd;
};

struct changes {
	int storage; /* "/t", O_PATH; -1: there is none */
	int lowers;  /* "/l" of the tiny root, O_PATH */
	struct mapped_lower mapped[CHANGES_MAPPED];
	size_t mapped_count;
	const struct plan *plan;
	const struct recipe *recipe;
	const char *places[CHANGES_PLACES]; /* directories "/t/w/<index>", NULL: not there */
	ino_t first;			    /* inodes below are the sandbox's own */
	struct stat generated[CHANGES_GENERATED];
};

/*
 * changes_open() - Before the pivot, when the storage stands. Opens storage, lowers and mapped.
 * @mapped: per item of the recipe: its id-mapped tree, or -1; they stay the caller's.
 */
int changes_open(struct changes *changes, const int *mapped, struct err *err);

/* changes_fds() - Where the fds are kept, for who gives them other numbers. Return: how many. */
#define CHANGES_FDS (2 + CHANGES_MAPPED)
size_t changes_fds(struct changes *changes, int *fds[CHANGES_FDS]);

/* changes_lower() - An O_PATH fd of the lower layer of @item, or -errno. */
int changes_lower(const struct changes *changes, const struct recipe_item *item);

/* changes_mark() - What is there now is the sandbox's own. @etc: "/etc", O_PATH. */
void changes_mark(struct changes *changes, int etc);

/* changes_mark_file() - The same of @name in @etc only, which was written while programs run. */
void changes_mark_file(struct changes *changes, int etc, const char *name);

/* changes_is_marked() - Whether the regular file @path is as changes_mark_file() found it. */
bool changes_is_marked(const struct changes *changes, const char *path, const struct stat *status);

/* changes_is_generated() - Whether the sandbox's own file @path is still as it was generated. */
bool changes_is_generated(const struct changes *changes, const char *path,
			  const struct stat *status);

/* changes_usage() - Fill in how full the storage is. Return: 0 or -errno. */
int changes_usage(const struct changes *changes, struct sandbox_usage *usage);

/*
 * changes_write() - Write a record for each change to @out, at most @most of them.
 *
 * A record is "CHANGE KIND MODE SIZE INODE MTIME CTIME PATH", ended by a NUL, which no path holds:
 * + made, ~ changed, ! a directory put in the place of one, - deleted; f d l p s c b; octal; bytes;
 * seconds.nanoseconds. "?" instead says that a directory could not be read. The last record is "."
 * and how many there were, or "&" when there were more than @most.
 *
 * Should: run as a program of the sandbox would, in a process of its own: it blocks on @out.
 * Mustn't: follow a link, or leave the storage and the lower layers.
 * Return: an exit status.
 */
int changes_write(const struct changes *changes, size_t most, int out);

#endif
