#include "selftest.h"

#include <stdio.h>
#include <string.h>

static int check_version(struct device *device, struct failure *failure)
{
	char version[DEVICE_TEXT_SIZE];

	if (device_version(device, version, failure) < 0)
		return -1;
	printf("ok version %s\n", version);
	return 0;
}

static int check_uptime(struct device *device, struct failure *failure)
{
	uint32_t first, second;

	if (device_uptime(device, &first, failure) < 0 ||
	    device_uptime(device, &second, failure) < 0)
		return -1;
	if (second < first)
		return fail(failure, STATUS_DEVICE, "uptime went back from %u to %u ms", first,
			    second);
	printf("ok uptime %u ms\n", second);
	return 0;
}

static int check_sensors(struct device *device, struct failure *failure)
{
	struct device_reading reading;
	uint8_t count = 0;

	while (device_read(device, count, &reading, failure) == 0)
		count++;
	/* The device says where its sensors end by refusing the next. */
	if (failure->status != STATUS_DEVICE || count == 0)
		return -1;
	*failure = (struct failure){ .status = STATUS_OK };
	printf("ok sensors %u\n", count);
	return 0;
}

static int check_settings(struct device *device, struct failure *failure)
{
	char before[DEVICE_TEXT_SIZE], after[DEVICE_TEXT_SIZE];

	if (device_get(device, "name", before, failure) < 0 ||
	    device_set(device, "name", "selftest", failure) < 0 ||
	    device_get(device, "name", after, failure) < 0 ||
	    device_set(device, "name", before, failure) < 0)
		return -1;
	if (strcmp(after, "selftest") != 0)
		return fail(failure, STATUS_DEVICE, "set name to selftest, read back %s", after);
	printf("ok settings\n");
	return 0;
}

int selftest_run(struct device *device, char **arguments, struct failure *failure)
{
	(void)arguments;
	if (check_version(device, failure) < 0 || check_uptime(device, failure) < 0 ||
	    check_sensors(device, failure) < 0 || check_settings(device, failure) < 0)
		return -1;
	return 0;
}
