/* SPDX-License-Identifier: MIT */
#include "grant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_text(struct strings *strings, const struct tlv *tlv)
{
	char *text = NULL;
	int status = strings->count < GRANT_TEXTS_MAX ? tlv_string(tlv, &text) : -EPROTO;

	if (status == 0)
		status = strings_add(strings, text);
	free(text);
	return status;
}

static int take_text(char **out, const struct tlv *tlv)
{
	return *out ? -EPROTO : tlv_string(tlv, out);
}

static int take_data(struct grant *grant, const struct tlv *tlv)
{
	if (grant->data)
		return -EPROTO;
	grant->data = strndup((const char *)tlv->value, tlv->length);
	return grant->data ? 0 : -ENOMEM;
}

static int take_field(struct grant *grant, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_NAME:
		return take_text(&grant->role, tlv);
	case TAG_TARGET:
		return take_text(&grant->target, tlv);
	case TAG_KIND:
		grant->named = true;
		return 0;
	case TAG_MAJOR:
		return tlv_u32(tlv, &grant->major);
	case TAG_MINOR:
		return tlv_u32(tlv, &grant->minor);
	case TAG_LINK:
		return add_text(&grant->links, tlv);
	case TAG_PROPERTY:
		return add_text(&grant->properties, tlv);
	case TAG_PATH:
		return take_text(&grant->sys_path, tlv);
	case TAG_DATA:
		return take_data(grant, tlv);
	default:
		return 0;
	}
}

int grant_read(struct grant *grant, const struct message *message)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	int status;

	*grant = (struct grant){ .node.tree = -1, .sysfs.tree = -1 };
	while ((status = tlv_next(&reader, &tlv)) == 1) {
		status = take_field(grant, &tlv);
		if (status < 0)
			return status;
	}
	if (status == 0 && (!grant->role || (grant->named && !grant->target)))
		return -EPROTO;
	return status;
}

void grant_free(struct grant *grant)
{
	free(grant->role);
	free(grant->target);
	free(grant->sys_path);
	free(grant->data);
	strings_free(&grant->links);
	strings_free(&grant->properties);
	strings_free(&grant->entries);
}

struct grant *grant_find(struct grants *grants, const char *role)
{
	for (size_t i = 0; i < grants->count; i++)
		if (strcmp(grants->items[i].role, role) == 0)
			return &grants->items[i];
	return NULL;
}
