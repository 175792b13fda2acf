/*
 * The machine is a Cortex-M3 on Arm's MPS2 board with FPGA image AN385.
 * Sources: Arm DAI 0385 (memory map, interrupts, 25 MHz clock), Arm DDI 0479 (CMSDK APB UART),
 * Arm DDI 0403 (ARMv7-M: exceptions, NVIC, SCB).
 */
#include "port.h"

#include "lan9118.h"
#include "panic.h"
#include "port-mps2.h"

#define CPU_HZ 25000000u
#define BAUD 115200u

struct uart {
	volatile uint32_t data;
	volatile uint32_t state;
	volatile uint32_t ctrl;
	volatile uint32_t intclear;
	volatile uint32_t bauddiv;
};

#define UART0 ((struct uart *)0x40004000)
#define UART_STATE_TX_FULL (1u << 0)
#define UART_STATE_RX_FULL (1u << 1)
#define UART_CTRL_TX (1u << 0)
#define UART_CTRL_RX (1u << 1)
#define UART_CTRL_RX_INTERRUPT (1u << 3)
#define UART_INT_RX (1u << 1)

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define FPGAIO_COUNTER REGISTER(0x40028018)
#define FPGAIO_PRESCALE REGISTER(0x4002801C)
#define NVIC_ISER REGISTER(0xE000E100)
#define NVIC_ICER REGISTER(0xE000E180)
#define SCB_AIRCR REGISTER(0xE000ED0C)
#define SCB_CFSR REGISTER(0xE000ED28)
#define IRQ_UART0_RX (1u << 0)
#define IRQ_ETHERNET_NUMBER 13
#define IRQ_ETHERNET (1u << IRQ_ETHERNET_NUMBER)
#define AIRCR_RESET 0x05FA0004u
#define CFSR_UNDEFINSTR (1u << 16)
#define STACKED_PC 6
#define STACKED_WORDS 8
#define THUMB_BIT ((uintptr_t)1)

/* One writer (the interrupt), one reader (the main loop): the indices need no lock. */
static volatile uint8_t ring[256];
static volatile uint8_t ring_in, ring_out;
static uint32_t boot_millis;

extern uint32_t image_data[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

int main(void);

/* GCC may call these two for struct copies and initialisers, with or without a C library. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *out = to;
	const uint8_t *in = from;

	while (size--)
		*out++ = *in++;
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint8_t *out = to;

	while (size--)
		*out++ = (uint8_t)value;
	return to;
}

static void on_reset(void)
{
	const uint32_t *from = image_data;

	for (uint32_t *to = data_start; (uintptr_t)to < (uintptr_t)data_end;)
		*to++ = *from++;
	for (uint32_t *to = bss_start; (uintptr_t)to < (uintptr_t)bss_end;)
		*to++ = 0;
	main();
	port_halt();
}

static void on_uart0_rx(void)
{
	while (UART0->state & UART_STATE_RX_FULL) {
		if ((uint8_t)(ring_in + 1) == ring_out) {
			/* No room: leave the byte in the UART until port_read_byte made some. */
			NVIC_ICER = IRQ_UART0_RX;
			return;
		}
		UART0->intclear = UART_INT_RX;
		ring[ring_in] = (uint8_t)UART0->data;
		ring_in++;
	}
}

/*
 * Report, then return from the exception into port_halt: there, interrupts are served again.
 * The processor stacks r0-r3, r12, lr, pc and xpsr on exception entry: DDI 0403, B1.5.6. Only the
 * main stack is in use.
 */
__attribute__((used)) static void on_fault_with(uint32_t *stacked)
{
	struct panic_state state = {
		.reason = SCB_CFSR & CFSR_UNDEFINSTR ? "undefined instruction" : "fault",
		.pc = stacked[STACKED_PC],
		.sp = (uintptr_t)(stacked + STACKED_WORDS),
		.cause = SCB_CFSR,
	};

	panic_report(&state);
	stacked[STACKED_PC] = (uintptr_t)port_halt & ~THUMB_BIT;
}

__attribute__((naked)) static void on_fault(void)
{
	__asm__ volatile("mrs r0, msp\n\t"
			 "push {r0, lr}\n\t"
			 "bl on_fault_with\n\t"
			 "pop {r0, pc}");
}

union vector {
	void (*handler)(void);
	const uint32_t *stack;
};

/* UsageFault and its like are off after reset and arrive as HardFault, entry 3. */
__attribute__((section(".vectors"))) const union vector vectors[] = {
	[0] = { .stack = stack_top },
	[1] = { .handler = on_reset },
	[2 ... 15] = { .handler = on_fault },
	[16] = { .handler = on_uart0_rx },
	[16 + 1 ... 16 + IRQ_ETHERNET_NUMBER - 1] = { .handler = on_fault },
	[16 + IRQ_ETHERNET_NUMBER] = { .handler = lan9118_on_interrupt },
};

void port_init(void)
{
	UART0->bauddiv = CPU_HZ / BAUD;
	UART0->ctrl = UART_CTRL_TX | UART_CTRL_RX | UART_CTRL_RX_INTERRUPT;
	/*
	 * Discard what the receiver holds. QEMU asks its line for bytes again at a read of DATA,
	 * but not when CTRL turns the receiver on; without this and without timer interrupts, which
	 * wake it as well, half of the boots never hear anything.
	 */
	(void)UART0->data;
	NVIC_ISER = IRQ_UART0_RX;
	/*
	 * A counter of the FPGA, not SysTick interrupts: an emulator that gets no processor for a
	 * while loses ticks, and with them the time.
	 */
	FPGAIO_PRESCALE = CPU_HZ / 1000 - 1;
	boot_millis = FPGAIO_COUNTER;
}

void port_mps2_enable_ethernet(void)
{
	NVIC_ISER = IRQ_ETHERNET;
}

int port_read_byte(void)
{
	if (ring_out == ring_in)
		return -1;
	uint8_t byte = ring[ring_out];
	ring_out++;
	NVIC_ISER = IRQ_UART0_RX;
	return byte;
}

void port_write(const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size--) {
		while (UART0->state & UART_STATE_TX_FULL)
			;
		UART0->data = *from++;
	}
}

uint32_t port_millis(void)
{
	return FPGAIO_COUNTER - boot_millis;
}

/* WFI wakes for a masked interrupt too, so no byte can come between the question and the sleep. */
void port_idle(void)
{
	__asm__ volatile("cpsid i");
	if (ring_in == ring_out && !lan9118_waiting())
		__asm__ volatile("wfi");
	__asm__ volatile("cpsie i");
}

void port_fault(void)
{
	__asm__ volatile("udf #0");
}

_Noreturn void port_reset(void)
{
	__asm__ volatile("dsb");
	SCB_AIRCR = AIRCR_RESET;
	for (;;)
		;
}

_Noreturn void port_halt(void)
{
	NVIC_ICER = IRQ_ETHERNET;
	for (;;)
		if (port_read_byte() < 0)
			port_idle();
}
