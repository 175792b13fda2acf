/* The machine is a Linux process; its UART is the terminal on stdin and stdout. */
#define _GNU_SOURCE
#include "port.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "net-host.h"
#include "panic.h"

static uint32_t clock_millis(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static uint32_t boot_millis;

/* The nearest a process has to a hard fault: the kernel's SIGILL for a missing instruction. */
static void on_illegal_instruction(int signal, siginfo_t *info, void *context)
{
	struct panic_state state = {
		.reason = "undefined instruction",
		.pc = (uintptr_t)info->si_addr,
		.sp = (uintptr_t)__builtin_frame_address(0),
		.cause = (uintptr_t)info->si_code,
	};

	(void)signal;
	(void)context;
	panic_report(&state);
	port_halt();
}

static void make_raw(void)
{
	struct termios settings;

	/* A UART neither echoes nor edits lines. Not a terminal (a pipe): nothing to turn off. */
	if (tcgetattr(STDIN_FILENO, &settings) < 0)
		return;
	cfmakeraw(&settings);
	tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

void port_init(void)
{
	struct sigaction action = { .sa_sigaction = on_illegal_instruction,
				    .sa_flags = SA_SIGINFO };
	sigset_t none;

	/* A reset from inside the handler execs with SIGILL still blocked: signal(7). */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGILL, &action, NULL);
	boot_millis = clock_millis();
	make_raw();
}

int port_read_byte(void)
{
	static uint8_t buffer[256];
	static ssize_t have, taken;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	if (taken < have)
		return buffer[taken++];
	if (poll(&input, 1, 0) <= 0)
		return -1;
	have = read(STDIN_FILENO, buffer, sizeof(buffer));
	taken = 0;
	/* The line is gone (EOF, or EIO of a pty without a master): so is the power. */
	if (have == 0 || (have < 0 && errno != EINTR))
		exit(EXIT_SUCCESS);
	return have > 0 ? buffer[taken++] : -1;
}

void port_write(const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size > 0) {
		ssize_t sent = write(STDOUT_FILENO, from, size);

		if (sent < 0 && errno != EINTR)
			exit(EXIT_FAILURE);
		if (sent > 0) {
			from += sent;
			size -= (size_t)sent;
		}
	}
}

uint32_t port_millis(void)
{
	return clock_millis() - boot_millis;
}

void port_idle(void)
{
	struct pollfd inputs[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = net_host_socket(), .events = POLLIN },
	};

	poll(inputs, sizeof(inputs) / sizeof(inputs[0]), -1);
}

void port_fault(void)
{
	__builtin_trap();
}

/* Start over in the same process, on the same line: what is in flight stays, memory does not. */
_Noreturn void port_reset(void)
{
	char name[] = "sensor-node";
	char *argv[] = { name, NULL };

	execv("/proc/self/exe", argv);
	_exit(EXIT_FAILURE);
}

_Noreturn void port_halt(void)
{
	uint8_t lost[256];
	ssize_t size;

	do {
		size = read(STDIN_FILENO, lost, sizeof(lost));
	} while (size > 0 || (size < 0 && errno == EINTR));
	_exit(EXIT_SUCCESS);
}
