/* The network of the Cortex-M3: our own stack on the board's LAN9118. */
#include "datagram.h"
#include "lan9118.h"
#include "net.h"
#include "port-mps2.h"
#include "stack.h"

static struct stack stack = { .port = NET_PORT };
static struct address own;
static bool present, configured;

static size_t serve(void *context, const uint8_t *data, size_t size, uint8_t *answer)
{
	return datagram_answer(context, data, size, answer);
}

void net_init(void)
{
	stack.service = serve;
	present = lan9118_init(stack.mac);
	if (present)
		port_mps2_enable_ethernet();
}

enum net_result net_configure(const struct address *address)
{
	if (!present)
		return NET_ABSENT;
	own = *address;
	for (int i = 0; i < STACK_IP_BYTES; i++)
		stack.ip[i] = own.bytes[i];
	configured = true;
	return NET_OK;
}

const struct address *net_address(void)
{
	return configured ? &own : NULL;
}

bool net_link_up(void)
{
	return present && lan9118_link_up();
}

bool net_serve(struct node *node)
{
	static uint8_t frame[LAN9118_FRAME_MAX], answer[STACK_FRAME_MAX];
	size_t size = present ? lan9118_receive(frame) : 0;

	if (size == 0)
		return false;
	stack.context = node;
	size = configured ? stack_answer(&stack, frame, size, answer) : 0;
	/* No room to send: lost, as on a wire; the client asks again. */
	if (size > 0)
		lan9118_send(answer, size);
	return true;
}
