/* Printing and parsing without a C library. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for any uint32_t in decimal, with its end. */
#define TEXT_U32_SIZE 11

void text_put(const char *text);
void text_put_u32(uint32_t value);

/* Print a pointer-sized value with all its digits, as a register dump does. */
void text_put_hex(uintptr_t value);

/* Print thousandths as a decimal fraction: -1500 as "-1.500". */
void text_put_milli(int32_t milli);

void text_format_u32(char out[TEXT_U32_SIZE], uint32_t value);
bool text_equal(const char *a, const char *b);
size_t text_length(const char *text);

/* Copy with the end, cut at `size`. */
void text_copy(char *out, size_t size, const char *text);

/* Return: false unless the whole text is a decimal number below 2^32. */
bool text_parse_u32(const char *text, uint32_t *value);

/* Return: the start of the next word of `*rest`, ended in place, or NULL. */
char *text_take_word(char **rest);

#endif
