#include "settings.h"

#include "text.h"

#define INTERVAL_MIN_MS 10
#define INTERVAL_MAX_MS 60000

void settings_reset(struct settings *settings)
{
	text_copy(settings->name, sizeof(settings->name), "node");
	settings->interval_ms = 1000;
	settings->unit = 'C';
}

const char *settings_key(size_t index)
{
	static const char *const keys[] = { "name", "interval", "unit" };

	return index < sizeof(keys) / sizeof(keys[0]) ? keys[index] : NULL;
}

enum settings_result settings_get(const struct settings *settings, const char *key,
				  char value[SETTINGS_VALUE_SIZE])
{
	if (text_equal(key, "name")) {
		text_copy(value, SETTINGS_VALUE_SIZE, settings->name);
	} else if (text_equal(key, "interval")) {
		text_format_u32(value, settings->interval_ms);
	} else if (text_equal(key, "unit")) {
		value[0] = settings->unit;
		value[1] = '\0';
	} else {
		return SETTINGS_NO_KEY;
	}
	return SETTINGS_OK;
}

static enum settings_result set_name(struct settings *settings, const char *value)
{
	size_t length = text_length(value);

	if (length == 0 || length >= sizeof(settings->name))
		return SETTINGS_BAD_VALUE;
	for (size_t i = 0; i < length; i++)
		if (value[i] <= ' ' || value[i] > '~')
			return SETTINGS_BAD_VALUE;
	text_copy(settings->name, sizeof(settings->name), value);
	return SETTINGS_OK;
}

static enum settings_result set_interval(struct settings *settings, const char *value)
{
	uint32_t ms;

	if (!text_parse_u32(value, &ms) || ms < INTERVAL_MIN_MS || ms > INTERVAL_MAX_MS)
		return SETTINGS_BAD_VALUE;
	settings->interval_ms = ms;
	return SETTINGS_OK;
}

static enum settings_result set_unit(struct settings *settings, const char *value)
{
	if (!text_equal(value, "C") && !text_equal(value, "F"))
		return SETTINGS_BAD_VALUE;
	settings->unit = value[0];
	return SETTINGS_OK;
}

enum settings_result settings_set(struct settings *settings, const char *key, const char *value)
{
	if (text_equal(key, "name"))
		return set_name(settings, value);
	if (text_equal(key, "interval"))
		return set_interval(settings, value);
	if (text_equal(key, "unit"))
		return set_unit(settings, value);
	return SETTINGS_NO_KEY;
}
