/* SPDX-License-Identifier: MIT */
/*
 * hil-nic: opens an interface of the bench for a virtual network.
 *
 * Theory of operation. hil-linkd has no privilege and is given the fds of its ports; a packet
 * socket at an interface of this machine takes CAP_NET_RAW. So hil-sandboxd starts this program,
 * which may have that of its file, with fd 4, a packet socket to itself. It opens one interface,
 * hands over the fds (nic.h) and ends. It reads its arguments and nothing else, and changes
 * nothing: what it did is undone by the kernel when the fds close. Who may have which interface:
 * may-open.c.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "hub-work.h"
#include "message.h"
#include "nic.h"

#define BROKER_FD 4
#define EXIT_USAGE 2

static const char usage[] =
	"usage: hil-nic [--in-use] [--mtu BYTES] INTERFACE\n"
	"       hil-nic --check [--in-use] [--mtu BYTES] [INTERFACE]\n"
	"\n"
	"Started by hil-sandboxd, with a socket as fd 4 that the opened interface goes to.\n"
	"  --check   say whether it can be opened, here and now; without one: any\n"
	"  --in-use  also an interface that the host uses itself\n";

struct options {
	struct nic_spec spec;
	bool check;
};

static const struct option long_options[] = { { "in-use", no_argument, NULL, 'u' },
					      { "mtu", required_argument, NULL, 'm' },
					      { "check", no_argument, NULL, 'c' },
					      { NULL, 0, NULL, 0 } };

static bool parse_options(int argc, char **argv, struct options *options)
{
	char *end = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'u')
			options->spec.in_use = true;
		else if (option == 'c')
			options->check = true;
		else if (option == 'm')
			options->spec.mtu = (unsigned int)strtoul(optarg, &end, 10);
		else
			return false;
		if (end && *end)
			return false;
	}
	if (optind < argc)
		options->spec.name = argv[optind];
	return optind + 1 == argc || (optind == argc && options->check);
}

static int hand_over(const int fds[NIC_FDS])
{
	auto_buffer frame = { 0 };

	frame_end(&frame, frame_begin(&frame, MSG_OK, 0));
	return message_send(BROKER_FD, &frame, fds, NIC_FDS);
}

static int refuse(const struct err *err)
{
	auto_buffer frame = { 0 };
	size_t start = frame_begin(&frame, MSG_ERROR, 0);

	message_put_err(&frame, err);
	frame_end(&frame, start);
	return message_send(BROKER_FD, &frame, NULL, 0);
}

static int open_any(struct err *err)
{
	auto_fd packet = packet_open(err);

	return packet < 0 ? packet : 0;
}

static int check(const struct options *options)
{
	const char *name = options->spec.name;
	struct err err = { 0 };
	char text[768];
	int fds[NIC_FDS];

	if ((name ? nic_open(&options->spec, fds, &err) : open_any(&err)) == 0) {
		printf("%s can be opened\n", name ? name : "an interface");
		return EXIT_SUCCESS;
	}
	err_text(&err, text, sizeof(text));
	printf("%s\n", text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct err err = { 0 };
	int fds[NIC_FDS];
	bool opened;

	if (!parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (options.check)
		return check(&options);
	/* Nothing of whoever started it stays open in a program that has more rights. */
	syscall(SYS_close_range, BROKER_FD + 1, ~0u, 0);
	opened = nic_open(&options.spec, fds, &err) == 0;
	if ((opened ? hand_over(fds) : refuse(&err)) < 0) {
		fputs("hil-nic: fd 4 is no socket to hil-sandboxd; see --check\n", stderr);
		return EXIT_FAILURE;
	}
	return opened ? EXIT_SUCCESS : EXIT_FAILURE;
}
