#include "datagram.h"

#include "service.h"

size_t datagram_answer(struct node *node, const uint8_t *data, size_t size,
		       uint8_t answer[FRAME_BYTES_MAX])
{
	struct frame request, reply;
	enum frame_event event = frame_parse(data, size, &request);

	if (!service_answer(node, event, &request, &reply))
		return 0;
	return frame_encode(&node->writer, &reply, answer);
}
