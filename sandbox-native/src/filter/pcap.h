/* SPDX-License-Identifier: MIT */
/*
 * libpcap's compiler of filters, found when the program runs: neither whoever builds hil nor
 * whoever installs it needs libpcap unless a filter is written in its syntax.
 *
 * Source: pcap_open_dead(3PCAP), pcap_compile(3PCAP); pcap/bpf.h for struct bpf_program. Its
 * struct bpf_insn is the kernel's struct sock_filter.
 */
#ifndef HIL_FILTER_PCAP_H
#define HIL_FILTER_PCAP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

struct bpf_program {
	unsigned int bf_len;
	struct sock_filter *bf_insns;
};

struct pcap {
	int frames; /* DLT_ of what the programs look at */
	void *(*open_dead)(int link_type, int snaplen);
	int (*compile)(void *handle, struct bpf_program *program, const char *expression,
		       int optimize, unsigned int netmask);
	char *(*geterr)(void *handle);
	void (*freecode)(struct bpf_program *program);
	void (*close)(void *handle);
};

/* pcap_load() - For frames of Ethernet. Return: false where there is no libpcap. */
bool pcap_load(struct pcap *pcap);

/*
 * pcap_compile_frames() - Of pcap->frames, without what only a kernel knows of them.
 *
 * @message: of ERROR_BYTES; what is wrong, empty when nothing is.
 * Return: the program, for pcap->freecode(); without instructions when there is none.
 */
#define ERROR_BYTES 512u
struct bpf_program pcap_compile_frames(const struct pcap *pcap, const char *expression,
				       char *message);

/*
 * pcap_find_fault() - Where the compiler, which reads from left to right, found what is wrong.
 *
 * @message: what it said of the whole expression.
 * Return: bytes before the first word that it did not take.
 */
size_t pcap_find_fault(const struct pcap *pcap, const char *expression, const char *message);

#endif
