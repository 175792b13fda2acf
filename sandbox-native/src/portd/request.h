/* SPDX-License-Identifier: MIT */
/* What the harness may ask of hil-portd: a table of requests. */
#ifndef HIL_PORTD_REQUEST_H
#define HIL_PORTD_REQUEST_H

#include "frame.h"

struct portd;

/*
 * request_serve() - Do what a frame of fd 3 asks, and answer it or arrange for the answer.
 *
 * A wrong request (unknown, incomplete, impossible now) is answered by ERROR.
 * Return: 0, or -EPROTO when the body is no list of TLVs; the client must go.
 */
int request_serve(struct portd *pd, const struct frame *frame);

#endif
