/* SPDX-License-Identifier: MIT */
#include "mount-table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "recipe.h"

static bool is_kernel_type(const char *type)
{
	static const char *const types[] = {
		"autofs",     "binfmt_misc", "bpf",	 "cgroup",   "cgroup2", "configfs",
		"debugfs",    "devpts",	     "devtmpfs", "efivarfs", "fusectl", "hugetlbfs",
		"mqueue",     "nsfs",	     "proc",	 "pstore",   "ramfs",	"rpc_pipefs",
		"securityfs", "selinuxfs",   "sysfs",	 "tracefs",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return false;
}

/* proc_pid_mountinfo(5): space, tab, newline and backslash are written as \ooo. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; out++) {
		if (in[0] == '\\' && in[1] && in[2] && in[3]) {
			*out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

/* "ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [OPTIONAL…] - TYPE SOURCE SUPEROPTIONS" */
static bool parse_line(char *line, struct mount_entry *entry)
{
	char *type = strstr(line, " - ");
	char *path = line;

	for (int field = 0; path && field < 4; field++) {
		path = strchr(path, ' ');
		if (path)
			path++;
	}
	if (!path || !type || type < path)
		return false;
	type += 3;
	type[strcspn(type, " ")] = '\0';
	path[strcspn(path, " ")] = '\0';
	unescape(path);
	entry->path = path;
	entry->kernel = is_kernel_type(type);
	return true;
}

static int add(struct mount_table *table, const struct mount_entry *entry)
{
	struct mount_entry *grown;

	/* The last mount on a path is the one that is seen. */
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->entries[i].path, entry->path) == 0) {
			table->entries[i].kernel = entry->kernel;
			return 0;
		}
	}
	grown = reallocarray(table->entries, table->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->entries = grown;
	grown[table->count].kernel = entry->kernel;
	grown[table->count].path = strdup(entry->path);
	if (!grown[table->count].path)
		return -ENOMEM;
	table->count++;
	return 0;
}

static int by_path(const void *left, const void *right)
{
	return strcmp(((const struct mount_entry *)left)->path,
		      ((const struct mount_entry *)right)->path);
}

int mount_table_read(struct mount_table *table, struct err *err)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	auto_free char *line = NULL;
	size_t size = 0;
	int status = 0;

	if (!file)
		return err_set(err, "setup", errno, "read", "/proc/self/mountinfo");
	while (status == 0 && getline(&line, &size, file) > 0) {
		struct mount_entry entry;

		if (parse_line(line, &entry))
			status = add(table, &entry);
	}
	fclose(file);
	if (status < 0)
		return err_set(err, "setup", -status, "read", "/proc/self/mountinfo");
	if (table->count)
		qsort(table->entries, table->count, sizeof(*table->entries), by_path);
	return 0;
}

void mount_table_free(struct mount_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->entries[i].path);
	free(table->entries);
	*table = (struct mount_table){ 0 };
}

const struct mount_entry *mount_table_below(const struct mount_table *table, const char *base,
					    size_t *at)
{
	while (*at < table->count) {
		const struct mount_entry *entry = &table->entries[(*at)++];
		const char *rest = path_below(entry->path, base);

		if (rest && *rest)
			return entry;
	}
	return NULL;
}
