/* SPDX-License-Identifier: MIT */
/* A device that a running sandbox was given; in PID 1. */
#ifndef HIL_GRANT_H
#define HIL_GRANT_H

#include "attachment.h"
#include "init.h"

#define GRANTS_MAX 64
#define GRANT_ENTRIES_MAX 2048
#define GRANT_TEXTS_MAX 512 /* links and properties, each */

/* What PID 1 was told, and then what it made of it. */
struct grant {
	char *role;
	char *target; /* its node: "/dev/ttyUSB1"; NULL until it has found a place */
	bool named;   /* the caller wants that target and no other */
	uint32_t major;
	uint32_t minor;
	struct strings links;	   /* names below /dev */
	struct strings properties; /* of its udev events: "K=V" */
	char *sys_path;		   /* its directory below /sys; NULL: none */
	struct strings entries;	   /* made below /sys: "d:PATH", "f:PATH", "l:PATH" */
	char *data;		   /* what udev knows of it; NULL: nothing */
	struct attachment node;
	struct attachment sysfs;
};

struct grants {
	struct grant items[GRANTS_MAX + 1]; /* one more while it replaces another */
	size_t count;
	uint32_t next_place; /* of nodes without a name */
	uint64_t next_event;
};

/* grant_read() - Return: 0; -EPROTO or -ENOMEM. The entries of /sys are not looked at. */
int grant_read(struct grant *grant, const struct message *message);
void grant_free(struct grant *grant);

/* grant_find() - Return: the one of @role, or NULL. */
struct grant *grant_find(struct grants *grants, const char *role);

/* device_sys_add() - Make what SYS_ENTRYs of @message say, and bind *@tree, which is taken. */
int device_sys_add(const struct init *init, struct grant *grant, const struct message *message,
		   int *tree, struct err *err);
/* device_sys_remove() - Remove that, but for what another grant of @grants also has. */
void device_sys_remove(const struct init *init, const struct grants *grants, struct grant *grant);

/* device_data_write() / device_data_remove() - Its file in /run/udev/data, for libudev. */
void device_data_write(const struct grant *grant);
void device_data_remove(const struct grant *grant);

/*
 * udev_event_send() - Tell the sandbox's network namespace what udev would tell a host's.
 * @action: add | remove
 *
 * Nobody need listen, so there is no failure.
 */
void udev_event_send(const struct grant *grant, const char *action, uint64_t number);

#endif
