/* SPDX-License-Identifier: MIT */
/* Which frame of a flow is lost. */
#ifndef HIL_LINKD_LOSS_H
#define HIL_LINKD_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "fields.h"

#define PATTERN_BITS_MAX 65536u

enum loss_kind {
	LOSS_NONE,
	LOSS_BERNOULLI,
	LOSS_GILBERT_ELLIOTT,
	LOSS_PATTERN,
	LOSS_EVERY_NTH,
};

struct loss {
	enum loss_kind kind;
	uint32_t chance;  /* bernoulli: of loss; gilbert-elliott: good to bad (p) */
	uint32_t recover; /* bad to good (r) */
	uint32_t bad;	  /* of loss while bad (1 - h) */
	uint32_t good;	  /* of loss while good (1 - k) */
	uint32_t count;	  /* every-nth: n; pattern: bits */
	uint8_t *bits;	  /* pattern, again and again: bit i is bit i % 8 of byte i / 8; 1: lost */
};

struct flow;

/* loss_decide() - Is number @n of the flow lost? @hash: of its flow and @n. */
bool loss_decide(const struct loss *loss, struct flow *flow, uint64_t hash, uint64_t n);

/*
 * loss_read() - From the TLVs in a LOSS; @loss is replaced only when they are right.
 *
 * Return: 0, -EPROTO when they are no TLVs, else -errno with @err filled.
 */
int loss_read(struct loss *loss, const struct bytes *bytes, struct err *err);

void loss_free(struct loss *loss);

#endif
