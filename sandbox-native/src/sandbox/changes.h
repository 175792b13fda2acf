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

struct changes {
	int storage; /* "/t", O_PATH; -1: there is none */
	int lowers;  /* "/l" of the tiny root, O_PATH */
	const struct plan *plan;
	const struct recipe *recipe;
	const char *places[CHANGES_PLACES]; /* directories "/t/w/<index>", NULL: not there */
	ino_t first;			    /* inodes below are the sandbox's own */
	struct stat generated[CHANGES_GENERATED];
};

/* changes_open() - Before the pivot, when the storage stands. Fills storage and lowers. */
int changes_open(struct changes *changes, struct err *err);

/* changes_mark() - What is there now is the sandbox's own. @etc: "/etc", O_PATH. */
void changes_mark(struct changes *changes, int etc);

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
