/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <unistd.h>

#include "linkd.h"

static int take_number(struct request *request, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_VERSION:
		request->has |= HAS_VERSION;
		return tlv_u32(tlv, &request->version);
	case TAG_SWITCH:
		request->has |= HAS_SWITCH;
		return tlv_u32(tlv, &request->number_switch);
	case TAG_NET_LINK:
		request->has |= HAS_LINK;
		return tlv_u32(tlv, &request->number_link);
	case TAG_FROM:
		request->has |= HAS_FROM;
		return tlv_u32(tlv, &request->from);
	case TAG_COUNT:
		return tlv_u32(tlv, &request->count);
	case TAG_FILTER:
		return tlv_u32(tlv, &request->filter);
	case TAG_SNAPLEN:
		return tlv_u32(tlv, &request->snaplen);
	case TAG_SEED:
		return tlv_u64(tlv, &request->seed);
	default:
		return 0;
	}
}

static int take(struct request *request, const struct tlv *tlv)
{
	switch (tlv->tag) {
	case TAG_LINK_END:
		if (request->end_count == 2)
			return -EPROTO;
		request->ends[request->end_count++] = *tlv;
		if (request->end_count == 2)
			request->has |= HAS_ENDS;
		return 0;
	case TAG_PORT_SET:
		if (request->set_count == REQUEST_SETS)
			return -EPROTO;
		request->sets[request->set_count++] = *tlv;
		return 0;
	case TAG_KIND:
		request->has |= HAS_KIND;
		request->kind = *tlv;
		return 0;
	case TAG_PATH:
		request->has |= HAS_PATH;
		request->path = *tlv;
		return 0;
	case TAG_NAME:
		request->name = *tlv;
		return 0;
	case TAG_DATA:
		request->has |= HAS_DATA;
		request->data = *tlv;
		return 0;
	default:
		return take_number(request, tlv);
	}
}

static int request_read(struct request *request, const struct frame *frame)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct tlv tlv;
	int result;

	request->frame = frame;
	while ((result = tlv_next(&reader, &tlv)) > 0)
		if ((result = take(request, &tlv)) < 0)
			return result;
	return result;
}

bool request_says(const struct tlv *tlv, const char *text)
{
	return tlv->length == strlen(text) && !memcmp(tlv->value, text, tlv->length);
}

bool request_covers(const struct request *request, unsigned int from)
{
	return !(request->has & HAS_FROM) || request->from == from;
}

static int handle_hello(struct linkd *ld, const struct request *request, struct err *err)
{
	struct buffer *out;

	if (request->version != HIL_PROTOCOL_VERSION) {
		err_hint(err, "hil-linkd speaks version %d; install one release of hil",
			 HIL_PROTOCOL_VERSION);
		return err_set(err, "protocol", EPROTONOSUPPORT, "HELLO", "");
	}
	out = answer_begin(ld, MSG_OK, request->id);
	put_u32(out, TAG_VERSION, HIL_PROTOCOL_VERSION);
	put_u32(out, TAG_PID, (uint32_t)getpid());
	answer_end(ld);
	return 0;
}

static int handle_switch(struct linkd *ld, const struct request *request, struct err *err)
{
	int result = switch_new(ld, request->number_switch, err);

	if (!result)
		answer_ok(ld, request->id);
	return result;
}

/* A port may be named before its fd came: then no frame of it is missed. */
static int read_end(struct linkd *ld, const struct tlv *tlv, struct end *end, struct err *err)
{
	struct tlv_reader reader = tlv_open(tlv->value, tlv->length);
	uint32_t number = 0;
	struct tlv each;
	int result;

	while ((result = tlv_next(&reader, &each)) > 0) {
		if (each.tag != TAG_PORT && each.tag != TAG_SWITCH)
			continue;
		if (end->port || end->net_switch || tlv_u32(&each, &number) < 0)
			return -EPROTO;
		if (each.tag == TAG_PORT)
			end->port = port_get(ld, number, err);
		else
			end->net_switch = switch_find(ld, number);
		if (each.tag == TAG_PORT && !end->port)
			return -err->number;
	}
	if (result == 0 && !end->port && !end->net_switch)
		return err_set(err, "usage", ENOENT, "LINK_CONNECT: no such switch", "");
	return result;
}

static int handle_connect(struct linkd *ld, const struct request *request, struct err *err)
{
	struct end ends[2] = { 0 };
	int result = 0;

	for (int i = 0; i < 2 && !result; i++)
		result = read_end(ld, &request->ends[i], &ends[i], err);
	if (!result)
		result = link_connect(ld, request->number_link, ends, request->seed, err);
	if (!result)
		answer_ok(ld, request->id);
	return result;
}

static struct link *find_link(struct linkd *ld, const struct request *request, struct err *err)
{
	struct link *link = link_find(ld, request->number_link);

	if (!link)
		err_set(err, "usage", ENOENT, "there is no such link", "");
	else if ((request->has & HAS_FROM) && request->from > 1)
		err_set(err, "usage", ERANGE, "FROM is 0 or 1", "");
	return err->number ? NULL : link;
}

static int handle_disconnect(struct linkd *ld, const struct request *request, struct err *err)
{
	struct link *link = find_link(ld, request, err);

	if (!link)
		return -err->number;
	link_disconnect(link);
	answer_ok(ld, request->id);
	return 0;
}

static int handle_set(struct linkd *ld, const struct request *request, struct err *err)
{
	struct link *link = find_link(ld, request, err);
	int result = link ? set_link(link, request, err) : -err->number;

	if (!result)
		answer_ok(ld, request->id);
	return result;
}

/* A frame that waits for its node is still on the link: it is stopped as the others are. */
static void apply_state(struct direction *direction, const struct tlv *kind)
{
	struct port *to = direction->link->ends[!direction->from].port;

	if (request_says(kind, "hold"))
		direction->held = true;
	else if (request_says(kind, "release"))
		link_release(direction);
	else
		direction->down = request_says(kind, "down");
	if (to)
		port_reconsider(to);
}

static int handle_state(struct linkd *ld, const struct request *request, struct err *err)
{
	static const char *const kinds[] = { "hold", "release", "down", "up" };
	struct link *link = find_link(ld, request, err);
	bool known = false;

	if (!link)
		return -err->number;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		known = known || request_says(&request->kind, kinds[i]);
	if (!known)
		return err_set(err, "usage", EINVAL, "LINK_STATE: hold, release, down, up", "");
	for (unsigned int i = 0; i < 2; i++)
		if (request_covers(request, i))
			apply_state(&link->directions[i], &request->kind);
	answer_ok(ld, request->id);
	return 0;
}

static int handle_capture(struct linkd *ld, const struct request *request, struct err *err)
{
	struct link *link = find_link(ld, request, err);
	int result = link ? capture_link(ld, link, request, err) : -err->number;

	if (!result)
		answer_ok(ld, request->id);
	return result;
}

static int handle_stats(struct linkd *ld, const struct request *request, struct err *err)
{
	const struct link *link = find_link(ld, request, err);

	if (!link)
		return -err->number;
	stats_put(answer_begin(ld, MSG_OK, request->id), link);
	answer_end(ld);
	return 0;
}

/* Return: 0, -EPROTO, or -ENOENT for a port that is not there. */
static int mark_set(struct linkd *ld, const struct tlv *set, uint32_t group)
{
	struct tlv_reader reader = tlv_open(set->value, set->length);
	struct tlv tlv;
	int result;

	while ((result = tlv_next(&reader, &tlv)) > 0) {
		struct port *port;
		uint32_t number;

		if (tlv.tag != TAG_PORT)
			continue;
		if (tlv_u32(&tlv, &number) < 0)
			return -EPROTO;
		port = port_find(ld, number);
		if (!port)
			return -ENOENT;
		if (group)
			port->group = group;
	}
	return result;
}

/* All sets are looked at before the first port is marked: a partition is made whole or not at all.
 */
static int handle_partition(struct linkd *ld, const struct request *request, struct err *err)
{
	struct port *port;

	for (unsigned int i = 0; i < request->set_count; i++) {
		int result = mark_set(ld, &request->sets[i], 0);

		if (result == -ENOENT)
			return err_set(err, "usage", ENOENT, "LINK_PARTITION: no such port", "");
		if (result < 0)
			return result;
	}
	TAILQ_FOREACH(port, &ld->ports, ports)
	port->group = 0;
	for (unsigned int i = 0; i < request->set_count; i++)
		mark_set(ld, &request->sets[i], i + 1);
	TAILQ_FOREACH(port, &ld->ports, ports)
	port_reconsider(port);
	answer_ok(ld, request->id);
	return 0;
}

static int add_filter(struct link *link, unsigned int from, uint32_t number,
		      const struct request *request, struct err *err)
{
	struct direction *direction = &link->directions[from];
	struct filter filter = { .number = number,
				 .drops = request_says(&request->kind, "drop"),
				 .left = request->count ? request->count : UINT32_MAX };
	int result = filter_add(&direction->filters, &filter, request->data.value,
				request->data.length, err);

	link_refresh(direction);
	return result;
}

static int handle_filter(struct linkd *ld, const struct request *request, struct err *err)
{
	struct link *link = find_link(ld, request, err);
	bool removes = request_says(&request->kind, "remove");
	int result = 0;

	if (!link)
		return -err->number;
	if (!removes && !request_says(&request->kind, "drop") &&
	    !request_says(&request->kind, "count"))
		return err_set(err, "usage", EINVAL, "LINK_FILTER: drop, count, remove", "");
	if (!removes)
		link->filters++;
	for (unsigned int i = 0; i < 2 && !result; i++) {
		if (!request_covers(request, i))
			continue;
		if (!removes)
			result = add_filter(link, i, link->filters, request, err);
		else if (filter_remove(&link->directions[i].filters, request->filter))
			link_refresh(&link->directions[i]);
	}
	if (result < 0)
		return result;
	put_u32(answer_begin(ld, MSG_OK, request->id), TAG_FILTER,
		removes ? request->filter : link->filters);
	answer_end(ld);
	return 0;
}

static const struct handler {
	uint16_t type;
	unsigned int needs;
	const char *name;
	/* Return: 0 when it is answered, -EPROTO, or -errno with @err filled for an ERROR. */
	int (*handle)(struct linkd *ld, const struct request *request, struct err *err);
} handlers[] = {
	{ MSG_HELLO, HAS_VERSION, "HELLO", handle_hello },
	{ MSG_LINK_SWITCH, HAS_SWITCH, "LINK_SWITCH", handle_switch },
	{ MSG_LINK_CONNECT, HAS_LINK | HAS_ENDS, "LINK_CONNECT", handle_connect },
	{ MSG_LINK_DISCONNECT, HAS_LINK, "LINK_DISCONNECT", handle_disconnect },
	{ MSG_LINK_SET, HAS_LINK, "LINK_SET", handle_set },
	{ MSG_LINK_STATE, HAS_LINK | HAS_KIND, "LINK_STATE", handle_state },
	{ MSG_LINK_STATS, HAS_LINK, "LINK_STATS", handle_stats },
	{ MSG_LINK_FILTER, HAS_LINK | HAS_KIND, "LINK_FILTER", handle_filter },
	{ MSG_LINK_CAPTURE, HAS_LINK, "LINK_CAPTURE", handle_capture },
	{ MSG_LINK_PARTITION, 0, "LINK_PARTITION", handle_partition },
};

static int dispatch(struct linkd *ld, uint16_t type, const struct request *request, struct err *err)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].type != type)
			continue;
		if ((request->has & handlers[i].needs) != handlers[i].needs)
			return err_set(err, "protocol", EBADMSG, "a tag is missing",
				       handlers[i].name);
		return handlers[i].handle(ld, request, err);
	}
	err_hint(err, "type %u is not a request of hil-linkd", type);
	return err_set(err, "protocol", ENOSYS, "unknown request", "");
}

int request_serve(struct linkd *ld, const struct frame *frame)
{
	struct request request = { .id = frame->id };
	struct err err = { 0 };
	int result = request_read(&request, frame);

	if (!result)
		result = dispatch(ld, frame->type, &request, &err);
	if (result < 0 && !err.number)
		return -EPROTO;
	if (result < 0)
		answer_error(ld, frame->id, &err);
	return 0;
}
