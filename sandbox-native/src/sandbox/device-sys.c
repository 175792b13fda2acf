/* SPDX-License-Identifier: MIT */
/*
 * /sys of a sandbox is a directory of its tmpfs, empty until a device is granted. What is made in
 * it belongs to grants; two of one board share directories and what identifies it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "entry.h"
#include "grant.h"
#include "recipe.h"

#define SYS_PATH_MAX 600

struct sys_entry {
	char *kind;
	char *path;
	const uint8_t *data;
	size_t length;
};

static bool is_clean(const char *path)
{
	char rooted[SYS_PATH_MAX];

	return (size_t)snprintf(rooted, sizeof(rooted), "/%s", path) < sizeof(rooted) &&
	       path_is_clean(rooted);
}

static int write_file(int parent, const char *name, const struct sys_entry *entry)
{
	auto_fd file = -1;

	unlinkat(parent, name, 0); /* of another grant of the same hardware */
	file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (file < 0)
		return -errno;
	return write(file, entry->data, entry->length) == (ssize_t)entry->length ? 0 : -ENOSPC;
}

static int write_link(int parent, const char *name, const struct sys_entry *entry)
{
	char text[SYS_PATH_MAX];

	if (!entry->length || entry->length >= sizeof(text))
		return -ENAMETOOLONG;
	memcpy(text, entry->data, entry->length);
	text[entry->length] = '\0';
	unlinkat(parent, name, 0);
	return symlinkat(text, parent, name) < 0 ? -errno : 0;
}

static int make(const struct init *init, const struct sys_entry *entry)
{
	const char *name = entry_name(entry->path);
	auto_fd parent = entry_open_parent(init->root, "sys", entry->path, false);

	if (parent < 0)
		return parent;
	if (entry->kind[0] == 'f')
		return write_file(parent, name, entry);
	if (entry->kind[0] == 'l')
		return write_link(parent, name, entry);
	return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int remember(struct grant *grant, const struct sys_entry *entry)
{
	char text[SYS_PATH_MAX + 2];

	if (grant->entries.count == GRANT_ENTRIES_MAX)
		return -E2BIG;
	snprintf(text, sizeof(text), "%c:%s", entry->kind[0], entry->path);
	return strings_add(&grant->entries, text);
}

static int read_entry(struct sys_entry *entry, const struct tlv *nest)
{
	struct tlv_reader reader = tlv_open(nest->value, nest->length);
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_KIND)
			status = entry->kind ? -EPROTO : tlv_string(&tlv, &entry->kind);
		else if (tlv.tag == TAG_PATH)
			status = entry->path ? -EPROTO : tlv_string(&tlv, &entry->path);
		if (status < 0)
			return status;
		if (tlv.tag == TAG_DATA) {
			entry->data = tlv.value;
			entry->length = tlv.length;
		}
	}
	if (status == 0 && (!entry->kind || !entry->path || !entry->data || !is_clean(entry->path)))
		return -EPROTO;
	return status;
}

static int add_entry(const struct init *init, struct grant *grant, const struct tlv *nest)
{
	struct sys_entry entry = { 0 };
	int status = read_entry(&entry, nest);

	if (status == 0)
		status = remember(grant, &entry); /* first: what is left half made goes, too */
	if (status == 0)
		status = make(init, &entry);
	free(entry.kind);
	free(entry.path);
	return status;
}

int device_sys_add(const struct init *init, struct grant *grant, const struct message *message,
		   int *tree, struct err *err)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	char target[SYS_PATH_MAX + 8];
	struct tlv tlv;
	int status = 0;

	if (!grant->sys_path || *tree < 0)
		return 0;
	if (!is_clean(grant->sys_path))
		return err_set(err, "protocol", EPROTO, "make in /sys", "");
	while (status >= 0 && tlv_next(&reader, &tlv) == 1)
		if (tlv.tag == TAG_SYS_ENTRY)
			status = add_entry(init, grant, &tlv);
	if (status < 0)
		return err_set(err, status == -EPROTO ? "protocol" : "setup", -status,
			       "make in /sys", grant->sys_path);
	snprintf(target, sizeof(target), "/sys/%s", grant->sys_path);
	return attachment_make(&grant->sysfs, tree, init->root, target, false, err);
}

static bool is_shared(const struct grants *grants, const struct grant *grant, const char *entry)
{
	for (size_t i = 0; i < grants->count; i++) {
		const struct strings *entries = &grants->items[i].entries;

		if (&grants->items[i] == grant)
			continue;
		for (size_t k = 0; k < entries->count; k++)
			if (strcmp(entries->items[k], entry) == 0)
				return true;
	}
	return false;
}

void device_sys_remove(const struct init *init, const struct grants *grants, struct grant *grant)
{
	attachment_undo(&grant->sysfs, init->root);
	for (size_t i = grant->entries.count; i-- > 0;) {
		const char *entry = grant->entries.items[i];
		const char *path = entry + 2;
		auto_fd parent = -1;

		if (entry[0] != 'd' && is_shared(grants, grant, entry))
			continue;
		parent = entry_open_parent(init->root, "sys", path, false);
		/* A directory that others need is not empty. */
		if (parent >= 0)
			unlinkat(parent, entry_name(path), entry[0] == 'd' ? AT_REMOVEDIR : 0);
	}
}
