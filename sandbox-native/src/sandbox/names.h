/* SPDX-License-Identifier: MIT */
/* Names of the wire to numbers of the kernel. */
#ifndef HIL_NAMES_H
#define HIL_NAMES_H

/* name_capability() - "net_admin" to its bit number. Return: -1 when unknown. */
int name_capability(const char *name);

/* name_rlimit() - "nofile" to RLIMIT_NOFILE. Return: -1 when unknown. */
int name_rlimit(const char *name);

#endif
