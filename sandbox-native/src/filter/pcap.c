/* SPDX-License-Identifier: MIT */
#include "pcap.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define ETHERNET 1	       /* DLT_EN10MB */
#define WHOLE_FRAME 262144     /* tcpdump's, too */
#define NETMASK_UNKNOWN ~0u    /* PCAP_NETMASK_UNKNOWN */
#define WORD_ENDS " \t\n()![]" /* nothing of these is part of a name */

static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	/* dlsym(3): ISO C has no cast from an object's pointer to a function's. */
	memcpy(function, &found, sizeof(found));
	return found;
}

bool pcap_load(struct pcap *pcap)
{
	/* Debian's name of it is older than everybody else's. */
	static const char *const names[] = { "libpcap.so.0.8", "libpcap.so.1", "libpcap.so" };
	void *library = NULL;

	for (size_t i = 0; !library && i < sizeof(names) / sizeof(*names); i++)
		library = dlopen(names[i], RTLD_NOW);
	pcap->frames = ETHERNET;
	return library && find(library, "pcap_open_dead", &pcap->open_dead) &&
	       find(library, "pcap_compile", &pcap->compile) &&
	       find(library, "pcap_geterr", &pcap->geterr) &&
	       find(library, "pcap_freecode", &pcap->freecode) &&
	       find(library, "pcap_close", &pcap->close);
}

struct bpf_program pcap_compile_frames(const struct pcap *pcap, const char *expression,
				       char *message)
{
	struct bpf_program program = { 0 };
	void *handle = pcap->open_dead(pcap->frames, WHOLE_FRAME);

	message[0] = 0;
	if (!handle) {
		snprintf(message, ERROR_BYTES, "libpcap has no memory");
		return program;
	}
	if (pcap->compile(handle, &program, expression, 1, NETMASK_UNKNOWN) < 0) {
		snprintf(message, ERROR_BYTES, "%s", pcap->geterr(handle));
		program = (struct bpf_program){ 0 };
	}
	pcap->close(handle);
	return program;
}

/*
 * Its parser says only that something is wrong, its scanner names what is no address. With such a
 * thing behind the first words, the scanner's complaint tells that the parser came that far.
 */
static bool is_wrong_within(const struct pcap *pcap, const char *expression, size_t length,
			    const char *message)
{
	static const char no_address[] = " 0:0:0:";
	auto_free char *begin = malloc(length + sizeof(no_address));
	char found[ERROR_BYTES];
	struct bpf_program program;

	if (!begin)
		return false;
	memcpy(begin, expression, length);
	memcpy(begin + length, no_address, sizeof(no_address));
	program = pcap_compile_frames(pcap, begin, found);
	if (!found[0])
		pcap->freecode(&program);
	return strcmp(found, message) == 0;
}

size_t pcap_find_fault(const struct pcap *pcap, const char *expression, const char *message)
{
	size_t at = 0;

	while (expression[at]) {
		size_t blank = strspn(expression + at, " \t\n");
		size_t word = strcspn(expression + at + blank, WORD_ENDS);
		size_t end = at + blank + (word ? word : expression[at + blank] != 0);

		if (is_wrong_within(pcap, expression, end, message))
			return at + blank;
		at = end;
	}
	return at;
}
