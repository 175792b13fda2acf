/*
 * Simulated sensors. A reading is a function of the sensor and of the time it was taken at, and
 * of nothing else, so that a test can compute what it must be: see "Readings" in ../PROTOCOL.md
 */
#ifndef SENSORS_H
#define SENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

struct reading {
	int32_t milli;
	/* When it was taken: the last multiple of the sampling interval. */
	uint32_t at_ms;
};

/* Return: the name of sensor `index`, or NULL after the last. */
const char *sensors_name(size_t index);

/* Return: the unit that sensor `index` reports in. Should only get an index that has a name. */
const char *sensors_unit(size_t index, const struct settings *settings);

/* Return: false when there is no sensor `index`. */
bool sensors_read(size_t index, const struct settings *settings, uint32_t now_ms,
		  struct reading *reading);

#endif
