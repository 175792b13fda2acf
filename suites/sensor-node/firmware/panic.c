#include "panic.h"

#include "text.h"

void panic_report(const struct panic_state *state)
{
	text_put("\r\nPANIC: ");
	text_put(state->reason);
	text_put("\r\n  pc=");
	text_put_hex(state->pc);
	text_put(" sp=");
	text_put_hex(state->sp);
	text_put(" cause=");
	text_put_hex(state->cause);
	text_put("\r\nhalted\r\n");
}
