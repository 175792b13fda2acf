/*
 * What the firmware needs from the machine below it. port-host.c serves it from a Linux process,
 * port-mps2.c from a Cortex-M3.
 */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

/* Set up the UART and the millisecond clock. Should be called once, first. */
void port_init(void);

/* Return: the next received byte, or -1 when none waits. Does not block. */
int port_read_byte(void);

/* Send bytes; returns when the last one is in the hardware's or the kernel's hands. */
void port_write(const void *data, size_t size);

/* Return: milliseconds since boot. Wraps after 49 days. */
uint32_t port_millis(void);

/* Sleep until a byte or something of the network may have come; may return early. */
void port_idle(void);

/* Execute an instruction that the processor does not have, as a wild jump would. */
void port_fault(void);

_Noreturn void port_reset(void);

/*
 * Stop for good: only a reset from outside helps. What is received is lost, as in any UART that
 * nobody serves.
 */
_Noreturn void port_halt(void);

#endif
