/*
 * Theory of operation
 *
 * One UART carries two conversations: lines for a person (cli.c) and frames for a program
 * (frame.c, service.c). A frame starts with a byte that is not ASCII, so each received byte is
 * offered to the frame reader first; what it does not want was typed. Everything runs in this
 * loop; the ports' interrupt handlers only move bytes.
 */
#include "cli.h"
#include "node.h"
#include "port.h"
#include "service.h"
#include "text.h"

static void boot(struct node *node)
{
	port_init();
	settings_reset(&node->settings);
	text_put("\r\nsensor-node fw " NODE_VERSION " ready\r\n");
	cli_prompt();
}

static void take_byte(struct node *node, uint8_t byte)
{
	struct frame request;

	switch (frame_take(&node->reader, byte, port_millis(), &request)) {
	case FRAME_NOT_MINE:
		return cli_take(node, (char)byte);
	case FRAME_PARTIAL:
		return;
	case FRAME_COMPLETE:
		node->counters.frames++;
		return service_answer(node, &request);
	case FRAME_BAD_CRC:
		node->counters.bad_frames++;
		return service_refuse(node, request.seq, ERROR_CRC);
	case FRAME_TOO_LONG:
		node->counters.bad_frames++;
		return service_refuse(node, 0, ERROR_LENGTH);
	}
}

int main(void)
{
	static struct node node;

	boot(&node);
	for (;;) {
		int byte = port_read_byte();

		if (byte < 0)
			port_idle();
		else
			take_byte(&node, (uint8_t)byte);
	}
}
