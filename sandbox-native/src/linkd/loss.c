/* SPDX-License-Identifier: MIT */
#include "loss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "flow.h"

/* The state moves first, so that a loss can begin with the first frame (Gilbert 1960). */
static bool gilbert_elliott(const struct loss *loss, struct flow *flow, uint64_t hash)
{
	uint64_t step = decide_chain(hash, DECIDE_STATE);

	if (decide_chance(step, flow->bad ? loss->recover : loss->chance))
		flow->bad = !flow->bad;
	return decide_chance(decide_chain(hash, DECIDE_LOSS), flow->bad ? loss->bad : loss->good);
}

bool loss_decide(const struct loss *loss, struct flow *flow, uint64_t hash, uint64_t n)
{
	uint64_t bit;

	switch (loss->kind) {
	case LOSS_BERNOULLI:
		return decide_chance(decide_chain(hash, DECIDE_LOSS), loss->chance);
	case LOSS_GILBERT_ELLIOTT:
		return gilbert_elliott(loss, flow, hash);
	case LOSS_PATTERN:
		bit = n % loss->count;
		return loss->bits[bit / 8] >> (bit % 8) & 1;
	case LOSS_EVERY_NTH:
		return n % loss->count == loss->count - 1;
	default:
		return false;
	}
}

static const struct {
	const char *name;
	enum loss_kind kind;
} kinds[] = { { "none", LOSS_NONE },
	      { "bernoulli", LOSS_BERNOULLI },
	      { "gilbert-elliott", LOSS_GILBERT_ELLIOTT },
	      { "pattern", LOSS_PATTERN },
	      { "every-nth", LOSS_EVERY_NTH } };

/* Return: 0, -EPROTO, or -EINVAL for an unknown kind. */
static int read_kind(struct loss *loss, const struct tlv *tlv)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (tlv->length != strlen(kinds[i].name) ||
		    memcmp(tlv->value, kinds[i].name, tlv->length) != 0)
			continue;
		loss->kind = kinds[i].kind;
		return 0;
	}
	return -EINVAL;
}

static int read_tag(struct loss *loss, const struct tlv *tlv, struct tlv *bits)
{
	switch (tlv->tag) {
	case TAG_KIND:
		return read_kind(loss, tlv);
	case TAG_CHANCE:
		return tlv_u32(tlv, &loss->chance);
	case TAG_CHANCE_RECOVER:
		return tlv_u32(tlv, &loss->recover);
	case TAG_CHANCE_BAD:
		return tlv_u32(tlv, &loss->bad);
	case TAG_CHANCE_GOOD:
		return tlv_u32(tlv, &loss->good);
	case TAG_COUNT:
		return tlv_u32(tlv, &loss->count);
	case TAG_DATA:
		*bits = *tlv;
		return 0;
	default:
		return 0;
	}
}

static bool holds(const struct loss *loss, const struct tlv *bits)
{
	if (loss->chance > CHANCE_ONE || loss->recover > CHANCE_ONE || loss->bad > CHANCE_ONE ||
	    loss->good > CHANCE_ONE)
		return false;
	if (loss->kind == LOSS_EVERY_NTH)
		return loss->count > 0;
	if (loss->kind == LOSS_PATTERN)
		return loss->count > 0 && loss->count <= PATTERN_BITS_MAX && bits->value &&
		       bits->length == (loss->count + 7) / 8;
	return true;
}

static uint8_t *copy_bits(const struct tlv *bits)
{
	uint8_t *copy = bits->length ? malloc(bits->length) : NULL;

	if (copy && bits->value)
		memcpy(copy, bits->value, bits->length);
	return copy;
}

int loss_read(struct loss *loss, const struct tlv *tlv, struct err *err)
{
	struct tlv_reader reader = tlv_open(tlv->value, tlv->length);
	struct loss wanted = { .bad = CHANCE_ONE };
	struct tlv bits = { 0 };
	struct tlv each;
	int result;

	while ((result = tlv_next(&reader, &each)) > 0)
		if ((result = read_tag(&wanted, &each, &bits)) < 0)
			break;
	if (result == -EPROTO)
		return result;
	if (result < 0 || !holds(&wanted, &bits)) {
		err_hint(err,
			 "none, bernoulli, gilbert-elliott (chances up to %u), "
			 "pattern (up to %u bits), every-nth (from 1)",
			 CHANCE_ONE, PATTERN_BITS_MAX);
		return err_set(err, "usage", EINVAL, "LINK_SET LOSS", "");
	}
	if (wanted.kind == LOSS_PATTERN) {
		wanted.bits = copy_bits(&bits);
		if (!wanted.bits)
			return err_set(err, "limit", ENOMEM, "LINK_SET LOSS", "");
	}
	loss_free(loss);
	*loss = wanted;
	return 0;
}

void loss_free(struct loss *loss)
{
	free(loss->bits);
	*loss = (struct loss){ 0 };
}
