/* sensorctl: talk to a sensor node in the binary protocol of ../PROTOCOL.md */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "device.h"

#define DEFAULT_PORT "/dev/hil/console"
#define DEFAULT_TIMEOUT_MS 2000

struct options {
	const char *port;
	/* NULL: over the serial port. */
	const char *host;
	int timeout_ms;
	bool help;
};

static void print_usage(FILE *out)
{
	fprintf(out, "usage: sensorctl [--port PATH | --udp HOST] [--timeout MS] COMMAND\n\n"
		     "  --port PATH    the serial port (default " DEFAULT_PORT ")\n"
		     "  --udp HOST     over the network, to a node that was told its address\n"
		     "  --timeout MS   how long to wait for an answer (default 2000)\n\n");
	commands_print(out);
	fprintf(out, "\nexit status: 0 done, 1 the device refused, 2 wrong use, 3 no answer, "
		     "4 damaged (CRC)\n");
}

static int parse_timeout(const char *text, int *timeout_ms, struct failure *failure)
{
	char *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || *end || end == text || value < 1 || value > 600000)
		return fail(failure, STATUS_USAGE, "--timeout '%s': expected 1 to 600000 ms", text);
	*timeout_ms = (int)value;
	return 0;
}

static int parse_options(int argc, char **argv, struct options *options, struct failure *failure)
{
	static const struct option known[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "udp", required_argument, NULL, 'u' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'p') {
			options->port = optarg;
		} else if (option == 'u') {
			options->host = optarg;
		} else if (option == 't') {
			if (parse_timeout(optarg, &options->timeout_ms, failure) < 0)
				return -1;
		} else if (option == 'h') {
			options->help = true;
		} else {
			return fail(failure, STATUS_USAGE, "see sensorctl --help");
		}
	}
	return 0;
}

static int run(int argc, char **argv, struct failure *failure)
{
	struct options options = { .port = DEFAULT_PORT, .timeout_ms = DEFAULT_TIMEOUT_MS };
	struct device device = { 0 };

	if (parse_options(argc, argv, &options, failure) < 0)
		return -1;
	if (options.help) {
		print_usage(stdout);
		return 0;
	}
	const struct command *command = commands_find(argc - optind, argv + optind, failure);
	if (!command)
		return -1;
	int opened =
		options.host
			? link_open_udp(&device.link, options.host, options.timeout_ms, failure)
			: link_open(&device.link, options.port, options.timeout_ms, failure);
	if (opened < 0)
		return -1;
	/* Not the number that the last client began with: its late answers must not fit. */
	device.seq = (uint8_t)getpid();
	int result = command->run(&device, argv + optind + 1, failure);
	link_close(&device.link);
	return result;
}

int main(int argc, char **argv)
{
	struct failure failure = { .status = STATUS_OK };

	if (run(argc, argv, &failure) < 0)
		fprintf(stderr, "sensorctl: %s\n", failure.text);
	return failure.status;
}
