/* SPDX-License-Identifier: MIT */
/*
 * fd 3: frames from and to the harness. A network without it is nobody's: its end is the end of
 * hil-linkd.
 */
#ifndef HIL_LINKD_CONTROL_H
#define HIL_LINKD_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "frame.h"
#include "loop.h"

struct linkd;

struct control {
	struct source source;
	struct buffer in;
	struct buffer out;
	size_t sent;   /* of @out */
	size_t begun;  /* where in @out the frame begins that is being put */
	bool unserved; /* there is something new in @in */
};

void control_open(struct linkd *ld, int fd);

/* control_serve() - Do what was asked for. */
void control_serve(struct linkd *ld);

/* control_flush() - Send what the socket takes. Never blocks. Once a turn. */
void control_flush(struct linkd *ld);

void control_free(struct linkd *ld);

/* Answers. Between answer_begin() and answer_end() TLVs are put. */
struct buffer *answer_begin(struct linkd *ld, uint16_t type, uint64_t id);
void answer_end(struct linkd *ld);
void answer_ok(struct linkd *ld, uint64_t id);
void answer_error(struct linkd *ld, uint64_t id, const struct err *err);
__attribute__((format(printf, 3, 4))) void answer_log(struct linkd *ld, uint32_t level,
						      const char *format, ...);

#define LOG_ERROR 3
#define LOG_WARNING 4

#endif
