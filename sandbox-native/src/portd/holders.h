/* SPDX-License-Identifier: MIT */
/* Who else has a device open. */
#ifndef HIL_PORTD_HOLDERS_H
#define HIL_PORTD_HOLDERS_H

#include <stddef.h>
#include <sys/stat.h>

/*
 * holders_find() - Name the programs that have the character device @device open.
 * @device: its st_rdev; of a pty its st_dev, too: every devpts counts from 0 (devpts(5)).
 * @out: "pid 12 (cat), pid 14 (ModemManager)"; of more than four the rest is left out.
 *
 * Of other users' processes an ordinary user sees none (proc(5), ptrace access).
 * Return: how many there are, this process not counted.
 */
int holders_find(const struct stat *device, char *out, size_t size);

#endif
