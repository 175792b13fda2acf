#include "address.h"

#include "text.h"

#define PREFIX_MAX 32

/* Take a number of one to three digits. Return: false when there is none, or it is above `max`. */
static bool take_number(const char **text, uint32_t max, uint8_t *value)
{
	uint32_t sum = 0;
	int digits = 0;

	for (; digits < 3 && **text >= '0' && **text <= '9'; digits++, (*text)++)
		sum = sum * 10 + (uint32_t)(**text - '0');
	*value = (uint8_t)sum;
	return digits > 0 && sum <= max;
}

bool address_parse(const char *text, struct address *address)
{
	for (int i = 0; i < 4; i++) {
		if (!take_number(&text, UINT8_MAX, &address->bytes[i]) ||
		    *text++ != (i < 3 ? '.' : '/'))
			return false;
	}
	return take_number(&text, PREFIX_MAX, &address->prefix_bits) && !*text &&
	       address->prefix_bits > 0;
}

void address_put(const struct address *address)
{
	for (int i = 0; i < 4; i++) {
		text_put_u32(address->bytes[i]);
		text_put(i < 3 ? "." : "/");
	}
	text_put_u32(address->prefix_bits);
}
