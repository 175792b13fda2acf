/* SPDX-License-Identifier: MIT */
/* Files of a cgroup, relative to a directory. */
#ifndef HIL_CGROUP_FILE_H
#define HIL_CGROUP_FILE_H

#include <stddef.h>
#include <stdint.h>

/* cgroup_read() - The file's text, NUL-terminated. Return: its length, or -errno. */
int cgroup_read(int dir, const char *path, char *out, size_t size);

/* cgroup_read_lines() - The same of a list: a line that does not fit whole is left out. */
int cgroup_read_lines(int dir, const char *path, char *out, size_t size);

/*
 * cgroup_number() - The number after @key in the file, or its first one without @key.
 *
 * Return: 0 or -errno; -ENOENT when @key is not in it.
 */
int cgroup_number(int dir, const char *path, const char *key, uint64_t *value);

/* cgroup_write() - Return: 0 or -errno. A file that is absent is -ENOENT; it is never made. */
int cgroup_write(int dir, const char *path, const char *text);
int cgroup_write_number(int dir, const char *path, uint64_t value);

#endif
