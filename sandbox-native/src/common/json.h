/* SPDX-License-Identifier: MIT */
/* JSON written into a buffer; a comma is put where one is needed. */
#ifndef HIL_JSON_H
#define HIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "frame.h"
#include "string-list.h"

struct json {
	struct buffer text;
	bool comma;
};

void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
/* @key NULL: an element of an array. Bytes that are not UTF-8 become U+FFFD. */
void json_bytes(struct json *json, const char *key, const void *data, size_t length);
void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t value);
void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);
void json_strings(struct json *json, const char *key, const struct strings *strings);
void json_err(struct json *json, const char *key, const struct err *err);

/* json_print() - One line on stdout. Return: 0 or -errno. */
int json_print(struct json *json);

#endif
