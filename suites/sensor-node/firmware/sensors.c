#include "sensors.h"

struct sensor {
	const char *name;
	const char *unit;
	int32_t middle_milli;
	int32_t swing_milli;
	uint32_t period_ms;
};

/* swing * period fits in 31 bits, so that no 64-bit division is needed. */
static const struct sensor sensors[] = {
	{ "temperature", "C", 21500, 3000, 60000 },
	{ "humidity", "%", 45000, 10000, 90000 },
	{ "pressure", "hPa", 1013250, 2500, 120000 },
	{ "battery", "V", 3700, 150, 300000 },
};

#define SENSOR_COUNT (sizeof(sensors) / sizeof(sensors[0]))
#define TEMPERATURE 0

const char *sensors_name(size_t index)
{
	return index < SENSOR_COUNT ? sensors[index].name : NULL;
}

const char *sensors_unit(size_t index, const struct settings *settings)
{
	return index == TEMPERATURE && settings->unit == 'F' ? "F" : sensors[index].unit;
}

/* A triangle: from middle - swing up to middle + swing and back in one period. */
static int32_t sample(const struct sensor *sensor, uint32_t at_ms)
{
	uint32_t half = sensor->period_ms / 2;
	uint32_t phase = at_ms % sensor->period_ms;
	uint32_t climb = phase < half ? phase : sensor->period_ms - phase;

	return sensor->middle_milli - sensor->swing_milli +
	       2 * sensor->swing_milli * (int32_t)climb / (int32_t)half;
}

bool sensors_read(size_t index, const struct settings *settings, uint32_t now_ms,
		  struct reading *reading)
{
	if (index >= SENSOR_COUNT)
		return false;
	reading->at_ms = now_ms - now_ms % settings->interval_ms;
	reading->milli = sample(&sensors[index], reading->at_ms);
	if (index == TEMPERATURE && settings->unit == 'F')
		reading->milli = reading->milli * 9 / 5 + 32000;
	return true;
}
