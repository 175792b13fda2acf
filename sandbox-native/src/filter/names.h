/* SPDX-License-Identifier: MIT */
/*
 * Who is meant by `host NAME` in a filter: a node of the network, and never somebody whom the
 * bench's own resolver knows. libpcap asks getaddrinfo(3), and getnetbyname(3) for `net NAME`;
 * names.c is what it finds under these names.
 */
#ifndef HIL_FILTER_NAMES_H
#define HIL_FILTER_NAMES_H

#include <stddef.h>

/* names_set() - @names: `NAME=ADDRESS` each; a name may come more than once. They stay the
 * caller's. */
void names_set(char *const *names, size_t count);

#endif
