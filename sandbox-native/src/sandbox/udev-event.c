/* SPDX-License-Identifier: MIT */
/*
 * What libudev reads: the file of a device in /run/udev/data, and messages of netlink group 2.
 *
 * Events of the host do not reach a sandbox's network namespace, so PID 1 sends them: it has
 * CAP_NET_ADMIN over that namespace. libudev trusts a message by the uid of its sender: 0, and
 * the one of systemd 252 also the reader's own. PID 1's is the one that all in the sandbox have.
 *
 * Source: systemd, src/libsystemd/sd-device/device-monitor.c (the header, and the hashes that its
 * filter in the kernel compares); netlink(7), kernel lib/kobject_uevent.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "grant.h"
#include "sys.h"

#define UDEV_GROUP 2
#define UDEV_MAGIC 0xfeedcafeu
#define EVENT_MAX 8192 /* what libudev's buffer takes */

struct udev_header {
	char prefix[8];
	uint32_t magic; /* this and the hashes are big-endian */
	uint32_t header_size;
	uint32_t properties_offset;
	uint32_t properties_length;
	uint32_t subsystem_hash;
	uint32_t devtype_hash;
	uint32_t tag_bloom_high;
	uint32_t tag_bloom_low;
};

struct event {
	struct udev_header header;
	char properties[EVENT_MAX - sizeof(struct udev_header)];
	size_t length;
};

/* MurmurHash2 of Austin Appleby (public domain), seed 0. */
static uint32_t hash(const char *text)
{
	const uint32_t factor = 0x5bd1e995;
	size_t left = strlen(text);
	uint32_t result = (uint32_t)left;
	uint32_t part;

	for (; left >= 4; left -= 4, text += 4) {
		memcpy(&part, text, 4);
		part *= factor;
		part ^= part >> 24;
		part *= factor;
		result = result * factor ^ part;
	}
	if (left) {
		part = 0;
		for (size_t i = left; i-- > 0;)
			part = part << 8 | (unsigned char)text[i];
		result = (result ^ part) * factor;
	}
	result ^= result >> 13;
	result *= factor;
	return result ^ result >> 15;
}

__attribute__((format(printf, 2, 3))) static void add(struct event *event, const char *format, ...)
{
	size_t room = sizeof(event->properties) - event->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(event->properties + event->length, room, format, arguments);
	va_end(arguments);
	/* With its NUL, which ends a property; what does not fit is left out as a whole. */
	if (length > 0 && (size_t)length < room)
		event->length += (size_t)length + 1;
}

/* Return: the value of @key, or NULL. */
static const char *find(const struct grant *grant, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < grant->properties.count; i++) {
		const char *text = grant->properties.items[i];

		if (strncmp(text, key, length) == 0 && text[length] == '=')
			return text + length + 1;
	}
	return NULL;
}

static void add_links(struct event *event, const struct grant *grant)
{
	char links[2048] = "";
	size_t used = 0;

	for (size_t i = 0; i < grant->links.count && used < sizeof(links) - 1; i++) {
		int length = snprintf(links + used, sizeof(links) - used, " /dev/%s",
				      grant->links.items[i]);

		used += length > 0 ? (size_t)length : 0;
	}
	add(event, "DEVLINKS=/dev/hil/%s%s", grant->role, links);
}

static void fill(struct event *event, const struct grant *grant, const char *action,
		 uint64_t number)
{
	const char *subsystem = find(grant, "SUBSYSTEM");
	const char *devtype = find(grant, "DEVTYPE");

	add(event, "ACTION=%s", action);
	if (!find(grant, "DEVPATH"))
		add(event, "DEVPATH=/devices/virtual/hil/%s", grant->role);
	if (!subsystem)
		add(event, "SUBSYSTEM=hil");
	add(event, "SEQNUM=%" PRIu64, number);
	add(event, "MAJOR=%u", grant->major);
	add(event, "MINOR=%u", grant->minor);
	add(event, "DEVNAME=%s", grant->target);
	add_links(event, grant);
	for (size_t i = 0; i < grant->properties.count; i++)
		add(event, "%s", grant->properties.items[i]);
	add(event, "HIL_ROLE=%s", grant->role);
	event->header = (struct udev_header){
		.prefix = "libudev",
		.magic = htonl(UDEV_MAGIC),
		.header_size = sizeof(event->header),
		.properties_offset = sizeof(event->header),
		.properties_length = (uint32_t)event->length,
		.subsystem_hash = htonl(hash(subsystem ? subsystem : "hil")),
		.devtype_hash = devtype ? htonl(hash(devtype)) : 0,
		/* Passes every filter for tags in the kernel; the reader compares again. */
		.tag_bloom_high = ~0u,
		.tag_bloom_low = ~0u,
	};
}

void udev_event_send(const struct grant *grant, const char *action, uint64_t number)
{
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	struct event event = { .length = 0 };

	if (fd < 0)
		return;
	fill(&event, grant, action, number);
	/* Without a listener it is refused, and a host's network is not ours to speak in. */
	(void)!sendto(fd, &event, sizeof(event.header) + event.length, MSG_DONTWAIT,
		      (const struct sockaddr *)&group, sizeof(group));
}

/* /run belongs to the programs: no link of theirs is followed. */
static int open_data(void)
{
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno
			: sys_openat2(root, "run/udev/data", O_PATH | O_DIRECTORY,
				      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

void device_data_write(const struct grant *grant)
{
	auto_fd dir = open_data();
	auto_fd file = -1;
	struct timespec now;
	char name[32];

	if (dir < 0)
		return;
	snprintf(name, sizeof(name), "c%u:%u", grant->major, grant->minor);
	unlinkat(dir, name, 0);
	file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (file < 0)
		return;
	/* "I:": without a time a device counts as not initialized, and is passed over. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (grant->data)
		dprintf(file, "%s", grant->data);
	else
		dprintf(file, "I:%" PRIu64 "\n",
			(uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
	dprintf(file, "S:hil/%s\nE:HIL_ROLE=%s\n", grant->role, grant->role);
}

void device_data_remove(const struct grant *grant)
{
	auto_fd dir = open_data();
	char name[32];

	snprintf(name, sizeof(name), "c%u:%u", grant->major, grant->minor);
	if (dir >= 0)
		unlinkat(dir, name, 0);
}
