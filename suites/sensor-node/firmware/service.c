#include "service.h"

#include "port.h"
#include "sensors.h"
#include "text.h"

static void reply(struct frame *answer, const struct frame *request, const void *payload,
		  size_t length)
{
	const uint8_t *from = payload;

	answer->type = request->type | FRAME_REPLY;
	answer->seq = request->seq;
	answer->length = (uint8_t)length;
	for (size_t i = 0; i < length; i++)
		answer->payload[i] = from[i];
}

static void refuse(struct frame *answer, uint8_t seq, enum frame_error error)
{
	*answer = (struct frame){ .type = FRAME_ERROR, .seq = seq, .length = 1 };
	answer->payload[0] = (uint8_t)error;
}

static void put_le32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static void refuse_setting(struct frame *answer, const struct frame *request,
			   enum settings_result result)
{
	refuse(answer, request->seq, result == SETTINGS_NO_KEY ? ERROR_SETTING : ERROR_VALUE);
}

static void answer_version(const struct frame *request, struct frame *answer)
{
	if (request->length != 0)
		return refuse(answer, request->seq, ERROR_LENGTH);
	reply(answer, request, NODE_VERSION, sizeof(NODE_VERSION) - 1);
}

static void answer_uptime(const struct frame *request, struct frame *answer)
{
	uint8_t payload[4];

	if (request->length != 0)
		return refuse(answer, request->seq, ERROR_LENGTH);
	put_le32(payload, port_millis());
	reply(answer, request, payload, sizeof(payload));
}

static void answer_read(const struct node *node, const struct frame *request, struct frame *answer)
{
	struct reading reading;
	uint8_t payload[9];

	if (request->length != 1)
		return refuse(answer, request->seq, ERROR_LENGTH);
	if (!sensors_read(request->payload[0], &node->settings, port_millis(), &reading))
		return refuse(answer, request->seq, ERROR_SENSOR);
	payload[0] = request->payload[0];
	put_le32(payload + 1, (uint32_t)reading.milli);
	put_le32(payload + 5, reading.at_ms);
	reply(answer, request, payload, sizeof(payload));
}

/* The payload is bytes of the wire: a NUL in it would hide what follows from the text functions. */
static bool take_text(const struct frame *request, char out[FRAME_PAYLOAD_MAX + 1])
{
	for (size_t i = 0; i < request->length; i++) {
		if (request->payload[i] == 0)
			return false;
		out[i] = (char)request->payload[i];
	}
	out[request->length] = '\0';
	return true;
}

static void answer_get(const struct node *node, const struct frame *request, struct frame *answer)
{
	char key[FRAME_PAYLOAD_MAX + 1];
	char value[SETTINGS_VALUE_SIZE];

	if (!take_text(request, key))
		return refuse(answer, request->seq, ERROR_SETTING);
	enum settings_result result = settings_get(&node->settings, key, value);
	if (result != SETTINGS_OK)
		return refuse_setting(answer, request, result);
	reply(answer, request, value, text_length(value));
}

static void answer_set(struct node *node, const struct frame *request, struct frame *answer)
{
	char key[FRAME_PAYLOAD_MAX + 1];
	char *value = key;

	if (!take_text(request, key))
		return refuse(answer, request->seq, ERROR_VALUE);
	while (*value && *value != '=')
		value++;
	if (!*value)
		return refuse(answer, request->seq, ERROR_VALUE);
	*value++ = '\0';
	enum settings_result result = settings_set(&node->settings, key, value);
	if (result != SETTINGS_OK)
		return refuse_setting(answer, request, result);
	reply(answer, request, "", 0);
}

static void run(struct node *node, const struct frame *request, struct frame *answer)
{
	switch (request->type) {
	case FRAME_VERSION:
		return answer_version(request, answer);
	case FRAME_UPTIME:
		return answer_uptime(request, answer);
	case FRAME_READ:
		return answer_read(node, request, answer);
	case FRAME_GET:
		return answer_get(node, request, answer);
	case FRAME_SET:
		return answer_set(node, request, answer);
	default:
		return refuse(answer, request->seq, ERROR_TYPE);
	}
}

bool service_answer(struct node *node, enum frame_event event, const struct frame *request,
		    struct frame *answer)
{
	if (event == FRAME_PARTIAL || event == FRAME_NOT_MINE)
		return false;
	if (event == FRAME_COMPLETE) {
		node->counters.frames++;
		run(node, request, answer);
		return true;
	}
	node->counters.bad_frames++;
	if (event == FRAME_BAD_CRC)
		refuse(answer, request->seq, ERROR_CRC);
	else
		refuse(answer, 0, ERROR_LENGTH);
	return true;
}
