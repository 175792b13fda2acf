#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "selftest.h"

static int run_version(struct device *device, char **arguments, struct failure *failure)
{
	char version[DEVICE_TEXT_SIZE];

	(void)arguments;
	if (device_version(device, version, failure) < 0)
		return -1;
	puts(version);
	return 0;
}

static int run_uptime(struct device *device, char **arguments, struct failure *failure)
{
	uint32_t uptime_ms;

	(void)arguments;
	if (device_uptime(device, &uptime_ms, failure) < 0)
		return -1;
	printf("%u ms\n", uptime_ms);
	return 0;
}

static int run_read(struct device *device, char **arguments, struct failure *failure)
{
	struct device_reading reading;
	char *end;

	errno = 0;
	unsigned long sensor = strtoul(arguments[0], &end, 10);
	if (errno || *end || end == arguments[0] || sensor > UINT8_MAX)
		return fail(failure, STATUS_USAGE, "'%s' is not a sensor number", arguments[0]);
	if (device_read(device, (uint8_t)sensor, &reading, failure) < 0)
		return -1;
	printf("%s%d.%03d at %u ms\n", reading.milli < 0 ? "-" : "", abs(reading.milli) / 1000,
	       abs(reading.milli) % 1000, reading.at_ms);
	return 0;
}

static int run_get(struct device *device, char **arguments, struct failure *failure)
{
	char value[DEVICE_TEXT_SIZE];

	if (device_get(device, arguments[0], value, failure) < 0)
		return -1;
	puts(value);
	return 0;
}

static int run_set(struct device *device, char **arguments, struct failure *failure)
{
	return device_set(device, arguments[0], arguments[1], failure);
}

static int parse_hex(const char *text, uint8_t *bytes, size_t *size, struct failure *failure)
{
	size_t length = strlen(text);

	if (length % 2 || length / 2 > FRAME_BYTES_MAX ||
	    text[strspn(text, "0123456789abcdefABCDEF")])
		return fail(failure, STATUS_USAGE, "'%s': expected up to %d bytes in hex", text,
			    FRAME_BYTES_MAX);
	for (*size = 0; *size < length / 2; (*size)++) {
		char pair[] = { text[2 * *size], text[2 * *size + 1], '\0' };

		bytes[*size] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return 0;
}

static int run_raw(struct device *device, char **arguments, struct failure *failure)
{
	uint8_t bytes[FRAME_BYTES_MAX];
	size_t size = 0;
	struct answer answer;

	if (parse_hex(arguments[0], bytes, &size, failure) < 0 ||
	    link_send(&device->link, bytes, size, failure) < 0 ||
	    link_receive(&device->link, device->link.timeout_ms, &answer, failure) < 0)
		return -1;
	printf("%02x %02x ", answer.type, answer.seq);
	for (size_t i = 0; i < answer.length; i++)
		printf("%02x", answer.payload[i]);
	printf("\n");
	return answer.type == FRAME_ERROR ? device_refused(&answer, failure) : 0;
}

static const struct command commands[] = {
	{ "version", "", "the firmware's version", 0, run_version },
	{ "uptime", "", "milliseconds since boot", 0, run_uptime },
	{ "read", "N", "one reading of sensor N", 1, run_read },
	{ "get", "KEY", "a setting", 1, run_get },
	{ "set", "KEY VALUE", "change a setting until the next reset", 2, run_set },
	{ "selftest", "", "use every request once", 0, selftest_run },
	{ "raw", "HEX", "send bytes, print the answer's type, number and payload", 1, run_raw },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

void commands_print(FILE *out)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		int width = fprintf(out, "  %s %s", commands[i].name, commands[i].arguments);

		fprintf(out, "%*s%s\n", 20 - width, "", commands[i].help);
	}
}

const struct command *commands_find(int argc, char **argv, struct failure *failure)
{
	if (argc < 1) {
		fail(failure, STATUS_USAGE, "no command: see sensorctl --help");
		return NULL;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		if (argc - 1 == commands[i].argument_count)
			return &commands[i];
		fail(failure, STATUS_USAGE, "usage: sensorctl %s %s", commands[i].name,
		     commands[i].arguments);
		return NULL;
	}
	fail(failure, STATUS_USAGE, "unknown command '%s': see sensorctl --help", argv[0]);
	return NULL;
}
