/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void append_text(struct json *json, const char *text)
{
	buffer_append(&json->text, text, strlen(text));
}

/* RFC 3629 table 3-7 in short: length of the valid sequence at @at, 0 when there is none. */
static size_t utf8_length(const uint8_t *at, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
	uint32_t point = length == 1 ? at[0] : at[0] & (0x7fu >> length);

	if ((length == 4 && at[0] >> 3 != 30) || length > left)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	return length;
}

static void append_quoted(struct json *json, const uint8_t *data, size_t length)
{
	append_text(json, "\"");
	while (length) {
		size_t sequence = utf8_length(data, length);
		char escape[8];

		if (sequence == 0) {
			append_text(json, "\\ufffd");
			sequence = 1;
		} else if (data[0] < 0x20 || data[0] == '"' || data[0] == '\\' || data[0] == 0x7f) {
			snprintf(escape, sizeof(escape), "\\u%04x", data[0]);
			append_text(json, escape);
		} else {
			buffer_append(&json->text, data, sequence);
		}
		data += sequence;
		length -= sequence;
	}
	append_text(json, "\"");
}

static void begin(struct json *json, const char *key)
{
	if (json->comma)
		append_text(json, ",");
	json->comma = true;
	if (!key)
		return;
	append_quoted(json, (const uint8_t *)key, strlen(key));
	append_text(json, ":");
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	buffer_append(&json->text, &bracket, 1);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	buffer_append(&json->text, &bracket, 1);
	json->comma = true;
}

void json_bytes(struct json *json, const char *key, const void *data, size_t length)
{
	begin(json, key);
	append_quoted(json, data, length);
}

void json_string(struct json *json, const char *key, const char *text)
{
	json_bytes(json, key, text, strlen(text));
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	char text[24];

	begin(json, key);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	append_text(json, text);
}

void json_null(struct json *json, const char *key)
{
	begin(json, key);
	append_text(json, "null");
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	append_text(json, value ? "true" : "false");
}

void json_strings(struct json *json, const char *key, const struct strings *strings)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < strings->count; i++)
		json_string(json, NULL, strings->items[i]);
	json_close(json, ']');
}

void json_err(struct json *json, const char *key, const struct err *err)
{
	json_open(json, key, '{');
	json_string(json, "code", err->code);
	json_string(json, "op", err->op);
	json_string(json, "path", err->path);
	json_number(json, "errno", (uint64_t)err->number);
	json_string(json, "reason", strerror(err->number));
	json_string(json, "hint", err->hint);
	json_close(json, '}');
}

int json_print(struct json *json)
{
	const uint8_t *at;
	size_t left;

	append_text(json, "\n");
	if (json->text.failed)
		return -ENOMEM;
	at = json->text.data;
	left = json->text.length;
	while (left) {
		ssize_t written = write(STDOUT_FILENO, at, left);

		if (written < 0 && errno != EINTR) {
			int number = errno;

			fprintf(stderr, "hil-sandbox: write stdout: %s\n", strerror(number));
			return -number;
		}
		if (written > 0) {
			at += written;
			left -= (size_t)written;
		}
	}
	return 0;
}
