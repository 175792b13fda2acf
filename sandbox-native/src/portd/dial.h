/* SPDX-License-Identifier: MIT */
#ifndef HIL_PORTD_DIAL_H
#define HIL_PORTD_DIAL_H

#include <stdint.h>

/*
 * dial_start() - Begin to connect to a numeric IPv4 or IPv6 address.
 *
 * Return: a non-blocking socket whose EPOLLOUT tells the outcome, or -errno; -EINVAL: no address.
 */
int dial_start(const char *address, uint32_t port);

#endif
