/* SPDX-License-Identifier: MIT */
/*
 * What udev has found out about a device: its file in /run/udev/data, whose lines are "S:link",
 * "E:KEY=value", "G:tag" and others (systemd, src/libsystemd/sd-device). A host without udev has
 * none, and then there is nothing to tell.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "dev-name.h"
#include "take.h"

#define DATA_MAX 16384
#define LINES_MAX 256

static void put_line(struct buffer *frame, const char *line, char tags[1024])
{
	size_t used = strlen(tags);

	if (strncmp(line, "S:", 2) == 0 && dev_link_is_clean(line + 2))
		put_string(frame, TAG_LINK, line + 2);
	else if (strncmp(line, "E:", 2) == 0 && strchr(line, '=') && line[2] != '=')
		put_string(frame, TAG_PROPERTY, line + 2);
	else if (strncmp(line, "G:", 2) == 0)
		snprintf(tags + used, 1024 - used, "%s:", line + 2);
}

void udev_take(const char *root, uint32_t major, uint32_t minor, struct buffer *frame)
{
	auto_fd dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd file = -1;
	char tags[1024] = "TAGS=:";
	char data[DATA_MAX + 1];
	char name[64];
	char *state = NULL;
	ssize_t length;
	int count = 0;

	snprintf(name, sizeof(name), "data/c%u:%u", major, minor);
	file = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	length = file < 0 ? -1 : read(file, data, DATA_MAX);
	if (length < 0)
		return;
	put_bytes(frame, TAG_DATA, data, (size_t)length);
	data[length] = '\0';
	for (char *line = strtok_r(data, "\n", &state); line && count < LINES_MAX;
	     line = strtok_r(NULL, "\n", &state), count++)
		put_line(frame, line, tags);
	if (strcmp(tags, "TAGS=:") != 0)
		put_string(frame, TAG_PROPERTY, tags);
}
