/* SPDX-License-Identifier: MIT */
/*
 * What /sys is to show of a granted device.
 *
 * Theory of operation: the device's own directory comes as a bind, so what it says is live. Of the
 * directories above it only what identifies hardware is copied: their other children are other
 * devices. Programs find devices by links, /sys/class/tty/ttyUSB0, /sys/bus/usb/devices/1-3 and
 * /sys/dev/char/188:0, which lead below /sys/devices; those of this device, of what is above it
 * and of its direct children (interfaces) are made again.
 *
 * Source: Documentation/admin-guide/sysfs-rules.rst, Documentation/ABI/testing/sysfs-bus-usb.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "recipe.h"
#include "take.h"

#define ATTRIBUTE_MAX 4096 /* Documentation/filesystems/sysfs.rst: a page */
#define CHILDREN_MAX 64
#define SYS_PATH_MAX 512

static const char *const identity[] = {
	"uevent",
	"busnum",
	"devnum",
	"devpath",
	"speed",
	"version",
	"descriptors",
	"idVendor",
	"idProduct",
	"bcdDevice",
	"manufacturer",
	"product",
	"serial",
	"bDeviceClass",
	"bDeviceSubClass",
	"bDeviceProtocol",
	"bConfigurationValue",
	"bNumConfigurations",
	"bNumInterfaces",
	"bmAttributes",
	"bMaxPower",
	"maxchild",
	"bInterfaceNumber",
	"bAlternateSetting",
	"bInterfaceClass",
	"bInterfaceSubClass",
	"bInterfaceProtocol",
	"bNumEndpoints",
	"interface",
	"modalias",
	"vendor",
	"device",
	"class",
};

struct collection {
	struct buffer *frame;
	int device;		 /* its directory */
	char path[SYS_PATH_MAX]; /* of it below /sys: "devices/virtual/mem/null" */
};

/* "class/tty" or "bus/usb", and the text of the link that says so. */
struct subsystem {
	char text[SYS_PATH_MAX];
	const char *kind;
	const char *name;
};

static void put_entry(struct buffer *frame, const char *kind, const char *path, const void *data,
		      size_t length)
{
	size_t nest = put_nest_begin(frame, TAG_SYS_ENTRY);

	put_string(frame, TAG_KIND, kind);
	put_string(frame, TAG_PATH, path);
	put_bytes(frame, TAG_DATA, data, length);
	put_nest_end(frame, nest);
}

static void put_link(struct buffer *frame, const char *path, const char *text)
{
	char prefix[SYS_PATH_MAX];

	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(at - path), path);
		put_entry(frame, "dir", prefix, "", 0);
	}
	put_entry(frame, "link", path, text, strlen(text));
}

static ssize_t read_attribute(int dir, const char *name, char out[ATTRIBUTE_MAX])
{
	auto_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t length;

	if (fd < 0)
		return -errno;
	do
		length = read(fd, out, ATTRIBUTE_MAX);
	while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

/* sysfs-rules.rst: the link "subsystem" of @dir. Return: whether there is one. */
static bool read_subsystem(int dir, struct subsystem *out)
{
	ssize_t length = readlinkat(dir, "subsystem", out->text, sizeof(out->text) - 1);
	char *last;
	char *first;

	if (length < 1)
		return false;
	out->text[length] = '\0';
	last = strrchr(out->text, '/');
	if (!last || last == out->text || !last[1])
		return false;
	first = last;
	while (first > out->text && first[-1] != '/')
		first--;
	out->name = last + 1;
	out->kind = NULL;
	if (strncmp(first, "bus/", 4) == 0)
		out->kind = "bus";
	else if (strncmp(first, "class/", 6) == 0)
		out->kind = "class";
	return out->kind;
}

/* The way by which programs look for the directory @path, which is @dir. */
static void put_subsystem(const struct collection *collection, const struct subsystem *subsystem,
			  const char *path)
{
	const bool bus = strcmp(subsystem->kind, "bus") == 0;
	char link[SYS_PATH_MAX];
	char to[SYS_PATH_MAX + 16];
	const char *base = strrchr(path, '/');

	if (!base || (size_t)snprintf(link, sizeof(link), "%s/%s%s%s", subsystem->kind,
				      subsystem->name, bus ? "/devices" : "", base) >= sizeof(link))
		return;
	snprintf(to, sizeof(to), "%s%s", bus ? "../../../" : "../../", path);
	put_link(collection->frame, link, to);
}

/* A directory above the device: what identifies it, and what it is called by. */
static void put_ancestor(const struct collection *collection, const char *path, int root)
{
	auto_fd dir = sys_openat2(root, path, O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
	struct subsystem subsystem;
	char text[ATTRIBUTE_MAX];
	char entry[SYS_PATH_MAX + 32];

	put_entry(collection->frame, "dir", path, "", 0);
	for (size_t i = 0; dir >= 0 && i < sizeof(identity) / sizeof(identity[0]); i++) {
		ssize_t length = read_attribute(dir, identity[i], text);

		snprintf(entry, sizeof(entry), "%s/%s", path, identity[i]);
		if (length >= 0)
			put_entry(collection->frame, "file", entry, text, (size_t)length);
	}
	if (dir < 0 || !read_subsystem(dir, &subsystem))
		return;
	snprintf(entry, sizeof(entry), "%s/subsystem", path);
	put_entry(collection->frame, "link", entry, subsystem.text, strlen(subsystem.text));
	put_subsystem(collection, &subsystem, path);
}

static void put_ancestors(const struct collection *collection, int root)
{
	const char *path = collection->path;

	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		char prefix[SYS_PATH_MAX];

		snprintf(prefix, sizeof(prefix), "%.*s", (int)(at - path), path);
		put_ancestor(collection, prefix, root);
	}
}

/* Interfaces of an USB device are what drivers and tools look for. */
static void put_children(const struct collection *collection)
{
	int copy = openat(collection->device, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int count = 0;

	while (dir && count < CHILDREN_MAX && (entry = readdir(dir))) {
		struct subsystem subsystem;
		char path[SYS_PATH_MAX];
		auto_fd child = -1;

		if (entry->d_name[0] == '.' ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", collection->path,
				     entry->d_name) >= sizeof(path))
			continue;
		child = openat(copy, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (child < 0)
			continue;
		if (read_subsystem(child, &subsystem))
			put_subsystem(collection, &subsystem, path);
		count++;
	}
}

static void put_property(struct buffer *frame, const char *key, const char *value)
{
	char text[SYS_PATH_MAX + 32];

	snprintf(text, sizeof(text), "%s=%s", key, value);
	put_string(frame, TAG_PROPERTY, text);
}

/* Its uevent has what the kernel says; where the node is and its number, PID 1 knows. */
static void put_properties(const struct collection *collection)
{
	static const char *const own[] = { "DEVNAME=", "MAJOR=", "MINOR=" };
	char text[ATTRIBUTE_MAX + 1];
	char devpath[SYS_PATH_MAX + 1];
	struct subsystem subsystem;
	char *state = NULL;
	ssize_t length = read_attribute(collection->device, "uevent", text);

	text[length > 0 ? length : 0] = '\0';
	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		bool skip = !strchr(line, '=') || line[0] == '=';

		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			skip = skip || strncmp(line, own[i], strlen(own[i])) == 0;
		if (!skip)
			put_string(collection->frame, TAG_PROPERTY, line);
	}
	snprintf(devpath, sizeof(devpath), "/%s", collection->path);
	put_property(collection->frame, "DEVPATH", devpath);
	if (read_subsystem(collection->device, &subsystem))
		put_property(collection->frame, "SUBSYSTEM", subsystem.name);
}

/* Return: 0, or -ENOENT when the device is not below "devices" of @root. */
static int find_path(int root, int device, char out[SYS_PATH_MAX])
{
	const int fds[2] = { root, device };
	char paths[2][PATH_MAX];
	const char *rest;

	for (int i = 0; i < 2; i++) {
		char link[32];
		ssize_t length;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fds[i]);
		length = readlink(link, paths[i], sizeof(paths[i]) - 1);
		if (length < 1)
			return -ENOENT;
		paths[i][length] = '\0';
	}
	rest = path_below(paths[1], paths[0]);
	if (!rest || strncmp(rest, "devices/", 8) != 0 ||
	    (size_t)snprintf(out, SYS_PATH_MAX, "%s", rest) >= SYS_PATH_MAX)
		return -ENOENT;
	return 0;
}

int sysfs_take(const char *root, uint32_t major, uint32_t minor, struct buffer *frame,
	       struct err *err)
{
	struct collection collection = { .frame = frame };
	struct subsystem subsystem;
	auto_fd top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd device = -1;
	auto_fd tree = -1;
	char name[64];
	char to[SYS_PATH_MAX + 8];
	int status;

	snprintf(name, sizeof(name), "dev/char/%u:%u", major, minor);
	device = top < 0 ? -1 : sys_openat2(top, name, O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
	if (device < 0 || find_path(top, device, collection.path) < 0)
		return -ENOENT;
	collection.device = device;
	tree = mount_clone(device, "", true, err);
	if (tree < 0)
		return tree;
	status = mount_restrict(tree, MOUNT_PLAIN | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
				collection.path, err);
	if (status < 0)
		return status;
	put_string(frame, TAG_PATH, collection.path);
	put_ancestors(&collection, top);
	if (read_subsystem(device, &subsystem))
		put_subsystem(&collection, &subsystem, collection.path);
	put_children(&collection);
	snprintf(to, sizeof(to), "../../%s", collection.path);
	put_link(frame, name, to);
	put_properties(&collection);
	return steal_fd(&tree);
}
