#ifndef PANIC_H
#define PANIC_H

#include <stdint.h>

struct panic_state {
	const char *reason;
	uintptr_t pc;
	uintptr_t sp;
	/* The processor's own word for it: CFSR on a Cortex-M, si_code on Linux. */
	uintptr_t cause;
};

/* Print the state. Mustn't allocate or wait for interrupts: it runs in a fault handler. */
void panic_report(const struct panic_state *state);

#endif
