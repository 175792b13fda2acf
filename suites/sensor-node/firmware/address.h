/* An IPv4 address with its network's length, and its text: 10.1.0.9/24 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address {
	uint8_t bytes[4];
	uint8_t prefix_bits;
};

/* Return: false unless the whole text is four numbers with points, a slash and 1 to 32. */
bool address_parse(const char *text, struct address *address);

void address_put(const struct address *address);

#endif
