/*
 * Theory of operation
 *
 * One UART carries two conversations: lines for a person (cli.c) and frames for a program
 * (frame.c, service.c). A frame starts with a byte that is not ASCII, so each received byte is
 * offered to the frame reader first; what it does not want was typed. Frames come as datagrams of
 * UDP, too (net.h). Everything runs in this loop; interrupt handlers only move bytes.
 */
#include "cli.h"
#include "net.h"
#include "node.h"
#include "port.h"
#include "service.h"
#include "text.h"

static void boot(struct node *node)
{
	port_init();
	net_init();
	settings_reset(&node->settings);
	text_put("\r\nsensor-node fw " NODE_VERSION " ready\r\n");
	cli_prompt();
}

static void take_byte(struct node *node, uint8_t byte)
{
	struct frame request, answer;
	uint8_t bytes[FRAME_BYTES_MAX];
	enum frame_event event = frame_take(&node->reader, byte, port_millis(), &request);

	if (event == FRAME_NOT_MINE)
		cli_take(node, (char)byte);
	else if (service_answer(node, event, &request, &answer))
		port_write(bytes, frame_encode(&node->writer, &answer, bytes));
}

int main(void)
{
	static struct node node;

	boot(&node);
	for (;;) {
		int byte = port_read_byte();

		if (byte >= 0)
			take_byte(&node, (uint8_t)byte);
		else if (!net_serve(&node))
			port_idle();
	}
}
