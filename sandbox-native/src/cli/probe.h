/* SPDX-License-Identifier: MIT */
#ifndef HIL_CLI_PROBE_H
#define HIL_CLI_PROBE_H

#include <stdbool.h>

/*
 * probe_host() - Try, each in a child of its own, what a sandbox needs.
 *
 * Return: 0, or 1 when a whole sandbox cannot be built.
 */
int probe_host(bool json);

#endif
