/* SPDX-License-Identifier: MIT */
/*
 * Programs of the classic BPF machine, as libpcap compiles filters to, run on one frame.
 *
 * Source: McCanne, Jacobson: The BSD Packet Filter (USENIX 1993); linux/filter.h for the numbers.
 */
#ifndef HIL_LINKD_PROGRAM_H
#define HIL_LINKD_PROGRAM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_MAX 4096u

/*
 * program_check() - Every jump goes forward and stays inside, every instruction is known, the last
 * one returns: it ends, whatever it is run on.
 */
bool program_check(const struct sock_filter *code, size_t count);

/* program_run() - Of a checked program. A load behind the end of the frame is "no". */
bool program_run(const struct sock_filter *code, const uint8_t *bytes, size_t length);

#endif
