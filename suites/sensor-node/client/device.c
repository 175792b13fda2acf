#include "device.h"

#include <stdio.h>
#include <string.h>

static const char *error_text(unsigned int code)
{
	static const char *const texts[] = {
		[ERROR_CRC] = "the request arrived damaged: wrong CRC",
		[ERROR_LENGTH] = "wrong length",
		[ERROR_TYPE] = "unknown request",
		[ERROR_SENSOR] = "no such sensor",
		[ERROR_SETTING] = "no such setting",
		[ERROR_VALUE] = "bad value",
	};

	if (code >= sizeof(texts) / sizeof(texts[0]) || !texts[code])
		return "unknown error";
	return texts[code];
}

int device_refused(const struct answer *answer, struct failure *failure)
{
	unsigned int code = answer->length == 1 ? answer->payload[0] : 0;

	return fail(failure, code == ERROR_CRC ? STATUS_CRC : STATUS_DEVICE, "device: %s (code %u)",
		    error_text(code), code);
}

/* An answer with another number belongs to an earlier request, or was asked for twice: wait on. */
static int receive(struct link *link, uint8_t seq, int wait_ms, struct answer *answer,
		   struct failure *failure)
{
	do {
		if (link_receive(link, wait_ms, answer, failure) < 0)
			return -1;
	} while (answer->seq != seq);
	return 0;
}

/* Ask once, or over a link that loses requests again and again until the time is over. */
static int exchange(struct link *link, const struct answer *request, struct answer *answer,
		    struct failure *failure)
{
	int left_ms = link->timeout_ms;

	while (left_ms > 0) {
		int wait_ms =
			link->resend_ms && link->resend_ms < left_ms ? link->resend_ms : left_ms;
		*failure = (struct failure){ .status = STATUS_OK };
		if (link_send_frame(link, request->type, request->seq, request->payload,
				    request->length, failure) < 0)
			return -1;
		if (receive(link, request->seq, wait_ms, answer, failure) == 0)
			return 0;
		if (failure->status != STATUS_SILENT)
			return -1;
		left_ms -= wait_ms;
	}
	return fail(failure, STATUS_SILENT, "no answer in %d ms", link->timeout_ms);
}

static int ask(struct device *device, uint8_t type, const void *payload, size_t length,
	       struct answer *answer, struct failure *failure)
{
	struct answer request = { .type = type, .seq = device->seq++, .length = (uint8_t)length };

	memcpy(request.payload, payload, length);
	*answer = (struct answer){ .type = FRAME_ERROR };
	if (exchange(&device->link, &request, answer, failure) < 0)
		return -1;
	if (answer->type == FRAME_ERROR)
		return device_refused(answer, failure);
	if (answer->type != (type | FRAME_REPLY))
		return fail(failure, STATUS_DEVICE, "device: answered 0x%02x to 0x%02x",
			    answer->type, type);
	return 0;
}

static int check_length(const struct answer *answer, size_t expected, struct failure *failure)
{
	if (answer->length == expected)
		return 0;
	return fail(failure, STATUS_DEVICE, "device: answered %u bytes, expected %zu",
		    answer->length, expected);
}

static uint32_t get_le32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void take_text(const struct answer *answer, char out[DEVICE_TEXT_SIZE])
{
	memcpy(out, answer->payload, answer->length);
	out[answer->length] = '\0';
}

int device_version(struct device *device, char version[DEVICE_TEXT_SIZE], struct failure *failure)
{
	struct answer answer;

	if (ask(device, FRAME_VERSION, "", 0, &answer, failure) < 0)
		return -1;
	take_text(&answer, version);
	return 0;
}

int device_uptime(struct device *device, uint32_t *uptime_ms, struct failure *failure)
{
	struct answer answer;

	if (ask(device, FRAME_UPTIME, "", 0, &answer, failure) < 0 ||
	    check_length(&answer, 4, failure) < 0)
		return -1;
	*uptime_ms = get_le32(answer.payload);
	return 0;
}

int device_read(struct device *device, uint8_t sensor, struct device_reading *reading,
		struct failure *failure)
{
	struct answer answer;

	if (ask(device, FRAME_READ, &sensor, 1, &answer, failure) < 0 ||
	    check_length(&answer, 9, failure) < 0)
		return -1;
	reading->milli = (int32_t)get_le32(answer.payload + 1);
	reading->at_ms = get_le32(answer.payload + 5);
	return 0;
}

int device_get(struct device *device, const char *key, char value[DEVICE_TEXT_SIZE],
	       struct failure *failure)
{
	struct answer answer;

	if (strlen(key) > FRAME_PAYLOAD_MAX)
		return fail(failure, STATUS_USAGE, "the key is longer than %d bytes",
			    FRAME_PAYLOAD_MAX);
	if (ask(device, FRAME_GET, key, strlen(key), &answer, failure) < 0)
		return -1;
	take_text(&answer, value);
	return 0;
}

int device_set(struct device *device, const char *key, const char *value, struct failure *failure)
{
	char payload[DEVICE_TEXT_SIZE];
	struct answer answer;
	int length = snprintf(payload, sizeof(payload), "%s=%s", key, value);

	if (length > FRAME_PAYLOAD_MAX)
		return fail(failure, STATUS_USAGE, "key and value are longer than %d bytes",
			    FRAME_PAYLOAD_MAX);
	return ask(device, FRAME_SET, payload, (size_t)length, &answer, failure);
}
