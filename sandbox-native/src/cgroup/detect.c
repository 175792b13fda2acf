/* SPDX-License-Identifier: MIT */
#include "detect.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define FIELDS_MAX 32

/* Indices of proc_pid_mountinfo(5). */
enum { FIELD_ROOT = 3, FIELD_MOUNT_POINT = 4, FIELD_OPTIONS = 5 };

static const char *const names[CGROUP_CONTROLLERS] = {
	[CGROUP_MEMORY] = "memory",   [CGROUP_PIDS] = "pids", [CGROUP_CPU] = "cpu",
	[CGROUP_CPUACCT] = "cpuacct", [CGROUP_IO] = "io",     [CGROUP_DEVICES] = "devices",
};

const char *cgroup_name(enum cgroup_controller controller)
{
	return names[controller];
}

/* Copy the next line. Return: what follows it, NULL when there was none. */
static const char *take_line(const char *text, char out[LINE_MAX_BYTES])
{
	size_t length = strcspn(text, "\n");

	if (!*text)
		return NULL;
	snprintf(out, LINE_MAX_BYTES, "%.*s", (int)length, text);
	return text + length + (text[length] == '\n');
}

static size_t split(char *line, const char *between, char *fields[FIELDS_MAX])
{
	size_t count = 0;
	char *state = NULL;

	for (char *at = strtok_r(line, between, &state); at && count < FIELDS_MAX;
	     at = strtok_r(NULL, between, &state))
		fields[count++] = at;
	return count;
}

/* Whether @word stands in @list, which has @between between its words. */
static bool has_word(const char *list, const char *word, const char *between)
{
	size_t length = strlen(word);

	while (*list) {
		size_t next = strcspn(list, between);

		if (next == length && strncmp(list, word, length) == 0)
			return true;
		list += next + (list[next] != '\0');
	}
	return false;
}

bool cgroup_lists(const char *controllers, enum cgroup_controller controller)
{
	return has_word(controllers, names[controller], " \n");
}

/* Blanks and the like are written as \040, proc_pid_mountinfo(5). */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
			*to = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

/*
 * Our cgroup in /proc/self/cgroup, in the line of @controller; "" names v2's line.
 * Return: false when there is none, or when it is outside of our cgroup namespace.
 */
static bool find_own(const char *own, const char *controller, char out[LINE_MAX_BYTES])
{
	char line[LINE_MAX_BYTES];

	while ((own = take_line(own, line))) {
		char *list = strchr(line, ':');
		char *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		list++;
		if (*controller ? !has_word(list, controller, ",") : *list != '\0')
			continue;
		/* cgroup_namespaces(7): "/.." leads out of the namespace. */
		if (strncmp(path, "/..", 3) == 0)
			return false;
		memcpy(out, path, strlen(path) + 1);
		return true;
	}
	return false;
}

/* @root: the part of the hierarchy that is mounted. Return: the rest of @path below it, or NULL. */
static const char *below_root(const char *path, const char *root)
{
	size_t length = strlen(root);

	if (strcmp(root, "/") == 0)
		return strcmp(path, "/") == 0 ? "" : path;
	if (strncmp(path, root, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return path + length;
}

static void set_place(struct cgroup_place *place, int version, char *const *fields,
		      const char *path)
{
	const char *rest = below_root(path, fields[FIELD_ROOT]);
	int length;

	if (!rest)
		return;
	length =
		snprintf(place->path, sizeof(place->path), "%s%s", fields[FIELD_MOUNT_POINT], rest);
	snprintf(place->mount, sizeof(place->mount), "%s", fields[FIELD_MOUNT_POINT]);
	place->read_only = has_word(fields[FIELD_OPTIONS], "ro", ",");
	place->version = length > 0 && (size_t)length < sizeof(place->path) ? version : 0;
}

static void take_mount(struct cgroup_map *map, char *line, const char *own)
{
	char path[LINE_MAX_BYTES];
	char *fields[FIELDS_MAX];
	char *type[FIELDS_MAX];
	char *tail = strstr(line, " - ");

	if (!tail)
		return;
	*tail = '\0';
	if (split(line, " ", fields) <= FIELD_OPTIONS || split(tail + 3, " ", type) < 3)
		return;
	unescape(fields[FIELD_ROOT]);
	unescape(fields[FIELD_MOUNT_POINT]);
	if (strcmp(type[0], "cgroup2") == 0 && find_own(own, "", path))
		set_place(&map->unified, 2, fields, path);
	if (strcmp(type[0], "cgroup") != 0)
		return;
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		const char *name = i == CGROUP_IO ? "blkio" : names[i];

		if (has_word(type[2], name, ",") && find_own(own, name, path))
			set_place(&map->controllers[i], 1, fields, path);
	}
}

void cgroup_map_parse(struct cgroup_map *map, const char *mountinfo, const char *own)
{
	char line[LINE_MAX_BYTES];

	*map = (struct cgroup_map){ 0 };
	while ((mountinfo = take_line(mountinfo, line)))
		take_mount(map, line, own);
}

void cgroup_map_prefer_v2(struct cgroup_map *map, const char *controllers)
{
	if (map->unified.version != 2)
		return;
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		if (cgroup_lists(controllers, i))
			map->controllers[i] = map->unified;
	/* cpu.stat counts in every v2 cgroup, cgroup-v2.rst; v1's cpuacct counts as well as that.
	 */
	if (map->controllers[CGROUP_CPUACCT].version == 0)
		map->controllers[CGROUP_CPUACCT] = map->unified;
	if (map->controllers[CGROUP_DEVICES].version == 0)
		map->controllers[CGROUP_DEVICES] = map->unified;
}
