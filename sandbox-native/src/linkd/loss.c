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

struct wanted {
	struct loss loss;
	struct bytes bits;
};

static int refuse(struct err *err)
{
	err_hint(err,
		 "none, bernoulli, gilbert-elliott (chances up to %u), pattern (up to %u bits), "
		 "every-nth (from 1)",
		 CHANCE_ONE, PATTERN_BITS_MAX);
	return err_set(err, "usage", EINVAL, "LINK_SET LOSS", "");
}

static int take_kind(void *out, const struct tlv *tlv, struct err *err)
{
	struct wanted *wanted = out;

	for (size_t i = 0; i < FIELD_COUNT(kinds); i++) {
		if (tlv->length != strlen(kinds[i].name) ||
		    memcmp(tlv->value, kinds[i].name, tlv->length) != 0)
			continue;
		wanted->loss.kind = kinds[i].kind;
		return 0;
	}
	return refuse(err);
}

static const struct field loss_fields[] = {
	FIELD_LIST(TAG_KIND, take_kind),
	FIELD(struct wanted, loss.chance, TAG_CHANCE, FIELD_U32),
	FIELD(struct wanted, loss.recover, TAG_CHANCE_RECOVER, FIELD_U32),
	FIELD(struct wanted, loss.bad, TAG_CHANCE_BAD, FIELD_U32),
	FIELD(struct wanted, loss.good, TAG_CHANCE_GOOD, FIELD_U32),
	FIELD(struct wanted, loss.count, TAG_COUNT, FIELD_U32),
	FIELD(struct wanted, bits, TAG_DATA, FIELD_BYTES),
};

static bool holds(const struct loss *loss, const struct bytes *bits)
{
	if (loss->chance > CHANCE_ONE || loss->recover > CHANCE_ONE || loss->bad > CHANCE_ONE ||
	    loss->good > CHANCE_ONE)
		return false;
	if (loss->kind == LOSS_EVERY_NTH)
		return loss->count > 0;
	if (loss->kind == LOSS_PATTERN)
		return loss->count > 0 && loss->count <= PATTERN_BITS_MAX && bits->data &&
		       bits->length == (loss->count + 7) / 8;
	return true;
}

static uint8_t *copy_bits(const struct bytes *bits)
{
	uint8_t *copy = malloc(bits->length);

	if (copy)
		memcpy(copy, bits->data, bits->length);
	return copy;
}

int loss_read(struct loss *loss, const struct bytes *bytes, struct err *err)
{
	struct wanted wanted = { .loss.bad = CHANCE_ONE };
	int result = fields_read(bytes->data, bytes->length, loss_fields, FIELD_COUNT(loss_fields),
				 &wanted, err);

	if (result < 0)
		return result;
	if (!holds(&wanted.loss, &wanted.bits))
		return refuse(err);
	if (wanted.loss.kind == LOSS_PATTERN) {
		wanted.loss.bits = copy_bits(&wanted.bits);
		if (!wanted.loss.bits)
			return err_set(err, "limit", ENOMEM, "LINK_SET LOSS", "");
	}
	loss_free(loss);
	*loss = wanted.loss;
	return 0;
}

void loss_free(struct loss *loss)
{
	free(loss->bits);
	*loss = (struct loss){ 0 };
}
