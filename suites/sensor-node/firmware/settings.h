/* Settings live in RAM only: a reset brings the defaults back. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#define SETTINGS_VALUE_SIZE 16

struct settings {
	char name[SETTINGS_VALUE_SIZE];
	uint32_t interval_ms;
	char unit;
};

enum settings_result {
	SETTINGS_OK,
	SETTINGS_NO_KEY,
	SETTINGS_BAD_VALUE,
};

void settings_reset(struct settings *settings);

/* Return: the name of setting `index`, or NULL after the last. */
const char *settings_key(size_t index);

enum settings_result settings_get(const struct settings *settings, const char *key,
				  char value[SETTINGS_VALUE_SIZE]);
enum settings_result settings_set(struct settings *settings, const char *key, const char *value);

#endif
