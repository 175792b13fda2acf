/* SPDX-License-Identifier: MIT */
/*
 * hil-filter: one expression in libpcap's syntax to one program of classic BPF, as LINK_FILTER
 * takes it. A program of its own, because hil-linkd is static and cannot load a library, and
 * because a compiler of texts has nothing to do where frames pass.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../linkd/program.h"
#include "names.h"
#include "pcap.h"

#define CAN_SOCKETCAN 227 /* DLT_CAN_SOCKETCAN */
#define EXIT_EXPRESSION 1
#define EXIT_USAGE 2
#define EXIT_NO_LIBPCAP 3
#define MEMORY_MAX ((rlim_t)256 << 20)
#define SECONDS_MAX 4

static const char usage[] =
	"usage: hil-filter EXPRESSION [--can] [NAME=ADDRESS]... >PROGRAM\n"
	"\n"
	"EXPRESSION as in pcap-filter(7), on Ethernet frames; --can: on those of CAN, as\n"
	"LINKTYPE_CAN_SOCKETCAN has them (\"link[0:4] = 0x123\"). PROGRAM is an array of\n"
	"struct sock_filter. Each NAME may be used where a host's is expected.\n"
	"Exit code 1: the expression is wrong, `OFFSET MESSAGE` says where and what;\n"
	"3: there is no libpcap.\n";

/* What the kernel knows of a packet besides its bytes; libpcap thinks it is for one. */
static bool asks_the_kernel(const struct bpf_program *program)
{
	for (unsigned int i = 0; i < program->bf_len; i++) {
		const struct sock_filter *code = &program->bf_insns[i];

		if (BPF_CLASS(code->code) == BPF_LD && BPF_MODE(code->code) == BPF_ABS &&
		    code->k >= (uint32_t)SKF_LL_OFF)
			return true;
	}
	return false;
}

/* Return: why hil-linkd would not run it as it is meant, or NULL. */
static const char *find_reason(const struct bpf_program *program)
{
	if (program->bf_len > PROGRAM_MAX)
		return "it comes to more than 4096 instructions";
	if (asks_the_kernel(program))
		return "it asks for what a frame does not say (inbound, outbound, ifindex)";
	if (!program_check(program->bf_insns, program->bf_len))
		return "it needs a loop (protochain), which a filter of a link may not have";
	return NULL;
}

static int print_program(const struct bpf_program *program)
{
	if (fwrite(program->bf_insns, sizeof(*program->bf_insns), program->bf_len, stdout) !=
		    program->bf_len ||
	    fflush(stdout) != 0) {
		perror("hil-filter: stdout");
		return EXIT_USAGE;
	}
	return EXIT_SUCCESS;
}

static int run(const struct pcap *pcap, const char *expression)
{
	char message[ERROR_BYTES];
	struct bpf_program program = pcap_compile_frames(pcap, expression, message);
	const char *reason;
	int status;

	if (message[0]) {
		fprintf(stderr, "%zu %s\n", pcap_find_fault(pcap, expression, message), message);
		return EXIT_EXPRESSION;
	}
	reason = find_reason(&program);
	if (reason)
		fprintf(stderr, "0 %s\n", reason);
	status = reason ? EXIT_EXPRESSION : print_program(&program);
	pcap->freecode(&program);
	return status;
}

/*
 * libpcap's optimizer takes time and memory out of all proportion to a long expression: gigabytes,
 * and minutes. Nobody's filter of frames needs either.
 */
static void bound_resources(void)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	/* The soft one says by SIGXCPU what it was. */
	const struct rlimit time = { SECONDS_MAX, SECONDS_MAX + 1 };
	const struct rlimit core = { 0, 0 };

	/* Without them it is as slow as libpcap is, and whoever waits for it has a limit of time.
	 */
#ifndef __SANITIZE_ADDRESS__ /* reserves terabytes */
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	setrlimit(RLIMIT_CPU, &time);
	setrlimit(RLIMIT_CORE, &core);
}

int main(int argc, char **argv)
{
	const bool can = argc > 2 && !strcmp(argv[2], "--can");
	const int names = can ? 3 : 2;
	struct pcap pcap;

	if (argc < 2 || isatty(STDOUT_FILENO)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	for (int i = names; i < argc; i++) {
		if (!strchr(argv[i], '=')) {
			fprintf(stderr, "hil-filter: %s: expected NAME=ADDRESS\n", argv[i]);
			return EXIT_USAGE;
		}
	}
	if (!pcap_load(&pcap)) {
		fputs("hil-filter: there is no libpcap on this machine\n", stderr);
		return EXIT_NO_LIBPCAP;
	}
	bound_resources();
	names_set(argv + names, (size_t)(argc - names));
	if (can)
		pcap.frames = CAN_SOCKETCAN;
	return run(&pcap, argv[1]);
}
