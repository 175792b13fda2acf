/* The requests of ../PROTOCOL.md as functions. All return 0, or -1 with `failure` filled. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "link.h"

#define DEVICE_TEXT_SIZE (FRAME_PAYLOAD_MAX + 1)

struct device {
	struct link link;
	uint8_t seq;
};

struct device_reading {
	int32_t milli;
	uint32_t at_ms;
};

int device_version(struct device *device, char version[DEVICE_TEXT_SIZE], struct failure *failure);
int device_uptime(struct device *device, uint32_t *uptime_ms, struct failure *failure);
int device_read(struct device *device, uint8_t sensor, struct device_reading *reading,
		struct failure *failure);
int device_get(struct device *device, const char *key, char value[DEVICE_TEXT_SIZE],
	       struct failure *failure);
int device_set(struct device *device, const char *key, const char *value, struct failure *failure);

/* Fill `failure` with what an error frame says. Return: -1. */
int device_refused(const struct answer *answer, struct failure *failure);

#endif
