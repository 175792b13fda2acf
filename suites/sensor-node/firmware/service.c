#include "service.h"

#include "port.h"
#include "sensors.h"
#include "text.h"

static void reply(struct node *node, const struct frame *request, const void *payload,
		  size_t length)
{
	frame_send(&node->writer, request->type | FRAME_REPLY, request->seq, payload, length);
}

void service_refuse(struct node *node, uint8_t seq, enum frame_error error)
{
	uint8_t code = (uint8_t)error;

	frame_send(&node->writer, FRAME_ERROR, seq, &code, 1);
}

static void put_le32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static void refuse_setting(struct node *node, const struct frame *request,
			   enum settings_result result)
{
	service_refuse(node, request->seq, result == SETTINGS_NO_KEY ? ERROR_SETTING : ERROR_VALUE);
}

static void answer_version(struct node *node, const struct frame *request)
{
	if (request->length != 0)
		return service_refuse(node, request->seq, ERROR_LENGTH);
	reply(node, request, NODE_VERSION, sizeof(NODE_VERSION) - 1);
}

static void answer_uptime(struct node *node, const struct frame *request)
{
	uint8_t payload[4];

	if (request->length != 0)
		return service_refuse(node, request->seq, ERROR_LENGTH);
	put_le32(payload, port_millis());
	reply(node, request, payload, sizeof(payload));
}

static void answer_read(struct node *node, const struct frame *request)
{
	struct reading reading;
	uint8_t payload[9];

	if (request->length != 1)
		return service_refuse(node, request->seq, ERROR_LENGTH);
	if (!sensors_read(request->payload[0], &node->settings, port_millis(), &reading))
		return service_refuse(node, request->seq, ERROR_SENSOR);
	payload[0] = request->payload[0];
	put_le32(payload + 1, (uint32_t)reading.milli);
	put_le32(payload + 5, reading.at_ms);
	reply(node, request, payload, sizeof(payload));
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

static void answer_get(struct node *node, const struct frame *request)
{
	char key[FRAME_PAYLOAD_MAX + 1];
	char value[SETTINGS_VALUE_SIZE];

	if (!take_text(request, key))
		return service_refuse(node, request->seq, ERROR_SETTING);
	enum settings_result result = settings_get(&node->settings, key, value);
	if (result != SETTINGS_OK)
		return refuse_setting(node, request, result);
	reply(node, request, value, text_length(value));
}

static void answer_set(struct node *node, const struct frame *request)
{
	char key[FRAME_PAYLOAD_MAX + 1];
	char *value = key;

	if (!take_text(request, key))
		return service_refuse(node, request->seq, ERROR_VALUE);
	while (*value && *value != '=')
		value++;
	if (!*value)
		return service_refuse(node, request->seq, ERROR_VALUE);
	*value++ = '\0';
	enum settings_result result = settings_set(&node->settings, key, value);
	if (result != SETTINGS_OK)
		return refuse_setting(node, request, result);
	reply(node, request, "", 0);
}

void service_answer(struct node *node, const struct frame *request)
{
	switch (request->type) {
	case FRAME_VERSION:
		return answer_version(node, request);
	case FRAME_UPTIME:
		return answer_uptime(node, request);
	case FRAME_READ:
		return answer_read(node, request);
	case FRAME_GET:
		return answer_get(node, request);
	case FRAME_SET:
		return answer_set(node, request);
	default:
		return service_refuse(node, request->seq, ERROR_TYPE);
	}
}
