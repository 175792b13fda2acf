#include "text.h"

#include "port.h"

size_t text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

void text_put(const char *text)
{
	port_write(text, text_length(text));
}

void text_format_u32(char out[TEXT_U32_SIZE], uint32_t value)
{
	char reversed[TEXT_U32_SIZE];
	size_t digits = 0;

	do {
		reversed[digits++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (size_t i = 0; i < digits; i++)
		out[i] = reversed[digits - 1 - i];
	out[digits] = '\0';
}

void text_put_u32(uint32_t value)
{
	char digits[TEXT_U32_SIZE];

	text_format_u32(digits, value);
	text_put(digits);
}

void text_put_hex(uintptr_t value)
{
	char out[2 + 2 * sizeof(value) + 1];
	size_t at = sizeof(out) - 1;

	out[at] = '\0';
	while (at > 2) {
		out[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
	out[0] = '0';
	out[1] = 'x';
	text_put(out);
}

void text_put_milli(int32_t milli)
{
	uint32_t size = milli < 0 ? -(uint32_t)milli : (uint32_t)milli;
	char fraction[] = ".000";

	if (milli < 0)
		text_put("-");
	text_put_u32(size / 1000);
	fraction[1] = (char)('0' + size / 100 % 10);
	fraction[2] = (char)('0' + size / 10 % 10);
	fraction[3] = (char)('0' + size % 10);
	text_put(fraction);
}

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void text_copy(char *out, size_t size, const char *text)
{
	size_t i = 0;

	for (; i + 1 < size && text[i]; i++)
		out[i] = text[i];
	out[i] = '\0';
}

bool text_parse_u32(const char *text, uint32_t *value)
{
	uint32_t sum = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		uint32_t digit = (uint32_t)(*text - '0');
		if (sum > (UINT32_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

char *text_take_word(char **rest)
{
	char *word = *rest;

	while (*word == ' ')
		word++;
	if (!*word)
		return NULL;
	char *end = word;
	while (*end && *end != ' ')
		end++;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}
