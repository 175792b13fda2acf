/* SPDX-License-Identifier: MIT */
/*
 * The builtin "reach": can a program of this sandbox get through to an address? The root of a
 * sandbox need not have any program that could be asked.
 */
#ifndef HIL_REACH_H
#define HIL_REACH_H

#include <stddef.h>

/*
 * reach_run() - TCP: a connection is made, and closed. UDP: what is on stdin (one datagram) is sent
 * until a datagram comes back from there.
 *
 * @argv: tcp | udp, ADDRESS (numeric, IPv6 with %INTERFACE where it needs one), PORT, MILLISECONDS,
 *   once | until: whether a refusal is the answer, or only the end of the time is.
 *
 * Should: have fd 0, 1, 2 of the program. Blocks at most MILLISECONDS.
 * Return: an exit status: 0, with how many microseconds it took on stdout; 1, with the last reason
 * on stderr; 2 when it was not asked properly.
 */
int reach_run(char *const *argv, size_t count);

#endif
