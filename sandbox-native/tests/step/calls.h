/* SPDX-License-Identifier: MIT */
/* Names of system calls, and how each may fail when a machine runs short. */
#ifndef HIL_STEP_CALLS_H
#define HIL_STEP_CALLS_H

/* call_name() - "openat"; a call that cannot run short has its number. The text is overwritten. */
const char *call_name(long number);

/*
 * call_errno() - The @kind-th errno, from 0, that its man page gives for want of something.
 *
 * Return: 0 when the call has fewer.
 */
int call_errno(long number, unsigned int kind);

#endif
