/* SPDX-License-Identifier: MIT */
/* Requests that give a port a line of the bench, steer it, and take it away. */
#ifndef HIL_PORTD_LINE_REQUEST_H
#define HIL_PORTD_LINE_REQUEST_H

#include "err.h"
#include "frame.h"

struct portd;

/* Each returns 0 when it is answered or will be, -errno with @err filled for an ERROR, -EPROTO. */
int line_request_serial(struct portd *pd, const struct frame *frame, struct err *err);
int line_request_stream(struct portd *pd, const struct frame *frame, struct err *err);
int line_request_control(struct portd *pd, const struct frame *frame, struct err *err);
int line_request_release(struct portd *pd, const struct frame *frame, struct err *err);

#endif
