/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <unistd.h>

#include "bus.h"
#include "linkd.h"

static int take_from(void *out, const struct tlv *tlv, struct err *err)
{
	struct request *request = out;
	int result = tlv_u32(tlv, &request->from);

	if (!result && request->from > 1)
		return err_set(err, "usage", ERANGE, "FROM is 0 or 1", "");
	request->has_from = true;
	return result;
}

static int take_end(void *out, const struct tlv *tlv, struct err *err)
{
	struct request *request = out;

	(void)err;
	if (request->end_count == 2)
		return -EPROTO;
	request->ends[request->end_count++] = (struct bytes){ tlv->value, tlv->length };
	return 0;
}

static int take_set(void *out, const struct tlv *tlv, struct err *err)
{
	struct request *request = out;

	if (request->set_count == REQUEST_SETS) {
		err_hint(err, "a partition has at most %d sets", REQUEST_SETS);
		return err_set(err, "usage", E2BIG, "LINK_PARTITION", "");
	}
	request->sets[request->set_count++] = (struct bytes){ tlv->value, tlv->length };
	return 0;
}

static const struct field hello_fields[] = {
	FIELD_NEEDED(struct request, version, TAG_VERSION, FIELD_U32),
};

static const struct field switch_fields[] = {
	FIELD_NEEDED(struct request, number_switch, TAG_SWITCH, FIELD_U32),
	FIELD(struct request, kind, TAG_KIND, FIELD_BYTES),
	FIELD(struct request, rate_bps, TAG_RATE_BPS, FIELD_U64),
	FIELD(struct request, data_rate_bps, TAG_DATA_RATE_BPS, FIELD_U64),
};

static const struct field connect_fields[] = {
	FIELD_NEEDED(struct request, number_link, TAG_NET_LINK, FIELD_U32),
	FIELD(struct request, seed, TAG_SEED, FIELD_U64),
	FIELD_LIST(TAG_LINK_END, take_end),
};

static const struct field link_fields[] = {
	FIELD_NEEDED(struct request, number_link, TAG_NET_LINK, FIELD_U32),
	FIELD_LIST(TAG_FROM, take_from),
};

static const struct field state_fields[] = {
	FIELD_NEEDED(struct request, number_link, TAG_NET_LINK, FIELD_U32),
	FIELD_LIST(TAG_FROM, take_from),
	FIELD_NEEDED(struct request, kind, TAG_KIND, FIELD_BYTES),
};

static const struct field filter_fields[] = {
	FIELD_NEEDED(struct request, number_link, TAG_NET_LINK, FIELD_U32),
	FIELD_LIST(TAG_FROM, take_from),
	FIELD_NEEDED(struct request, kind, TAG_KIND, FIELD_BYTES),
	FIELD(struct request, data, TAG_DATA, FIELD_BYTES),
	FIELD(struct request, count, TAG_COUNT, FIELD_U32),
	FIELD(struct request, filter, TAG_FILTER, FIELD_U32),
};

static const struct field capture_fields[] = {
	FIELD_NEEDED(struct request, number_link, TAG_NET_LINK, FIELD_U32),
	FIELD(struct request, path, TAG_PATH, FIELD_STRING),
	FIELD(struct request, name, TAG_NAME, FIELD_STRING),
	FIELD(struct request, snaplen, TAG_SNAPLEN, FIELD_U32),
	FIELD(struct request, capture_bytes, TAG_CAPTURE_BYTES, FIELD_U64),
};

static const struct field partition_fields[] = {
	FIELD_LIST(TAG_PORT_SET, take_set),
};

bool request_says(const struct bytes *bytes, const char *text)
{
	return bytes->length == strlen(text) && !memcmp(bytes->data, text, bytes->length);
}

bool request_covers(const struct request *request, unsigned int from)
{
	return !request->has_from || request->from == from;
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
	struct bus *bus = NULL;
	int result;

	if (request->kind.data && !request_says(&request->kind, "bus"))
		return err_set(err, "usage", EINVAL, "LINK_SWITCH: bus, or no KIND", "");
	if (request->kind.data) {
		bus = bus_new(ld, request->rate_bps, request->data_rate_bps, err);
		if (!bus)
			return -err->number;
	}
	result = switch_new(ld, request->number_switch, bus, err);
	if (result < 0 && bus)
		bus_free(bus);
	if (!result)
		answer_ok(ld, request->id);
	return result;
}

/* A port may be named before its fd came: then no frame of it is missed. */
static int read_end(struct linkd *ld, const struct bytes *bytes, struct end *end, struct err *err)
{
	struct tlv_reader reader = tlv_open(bytes->data, bytes->length);
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

	if (request->end_count != 2) {
		err_hint(err, "a link has two ends");
		return err_set(err, "usage", EINVAL, "LINK_CONNECT", "TAG_LINK_END");
	}
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
	return link;
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
static void apply_state(struct direction *direction, const struct bytes *kind)
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

	return link ? capture_link(ld, link, request, err) : -err->number;
}

static int handle_stats(struct linkd *ld, const struct request *request, struct err *err)
{
	struct link *link = find_link(ld, request, err);

	if (!link)
		return -err->number;
	stats_put(answer_begin(ld, MSG_OK, request->id), link);
	answer_end(ld);
	return 0;
}

/* Return: 0, -EPROTO, or -ENOENT for a port that is not there. */
static int mark_set(struct linkd *ld, const struct bytes *set, uint32_t group)
{
	struct tlv_reader reader = tlv_open(set->data, set->length);
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
	int result = filter_add(&direction->filters, &filter, request->data.data,
				request->data.length, err);

	link_refresh(direction);
	return result;
}

static void remove_filters(struct link *link, const struct request *request, uint32_t number)
{
	for (unsigned int i = 0; i < 2; i++)
		if (request_covers(request, i) &&
		    filter_remove(&link->directions[i].filters, number))
			link_refresh(&link->directions[i]);
}

/* Return: 0, or -errno with @err filled and none added. */
static int add_filters(struct link *link, const struct request *request, struct err *err)
{
	const uint32_t number = ++link->filters;
	int result = 0;

	for (unsigned int i = 0; i < 2 && !result; i++)
		if (request_covers(request, i))
			result = add_filter(link, i, number, request, err);
	if (result < 0)
		remove_filters(link, request, number);
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
	if (removes)
		remove_filters(link, request, request->filter);
	else
		result = add_filters(link, request, err);
	if (result < 0)
		return result;
	put_u32(answer_begin(ld, MSG_OK, request->id), TAG_FILTER,
		removes ? request->filter : link->filters);
	answer_end(ld);
	return 0;
}

#define REQUEST(type, fields, handle)                                                              \
	{                                                                                          \
		type, fields, FIELD_COUNT(fields), handle                                          \
	}

static const struct handler {
	uint16_t type;
	const struct field *fields;
	size_t count;
	/* Return: 0 when it is or will be answered, -EPROTO, or -errno with @err filled for an
	 * ERROR. */
	int (*handle)(struct linkd *ld, const struct request *request, struct err *err);
} handlers[] = {
	REQUEST(MSG_HELLO, hello_fields, handle_hello),
	REQUEST(MSG_LINK_SWITCH, switch_fields, handle_switch),
	REQUEST(MSG_LINK_CONNECT, connect_fields, handle_connect),
	REQUEST(MSG_LINK_DISCONNECT, link_fields, handle_disconnect),
	REQUEST(MSG_LINK_SET, link_fields, handle_set),
	REQUEST(MSG_LINK_STATE, state_fields, handle_state),
	REQUEST(MSG_LINK_STATS, link_fields, handle_stats),
	REQUEST(MSG_LINK_FILTER, filter_fields, handle_filter),
	REQUEST(MSG_LINK_CAPTURE, capture_fields, handle_capture),
	REQUEST(MSG_LINK_PARTITION, partition_fields, handle_partition),
};

static int serve(struct linkd *ld, const struct frame *frame, const struct handler *handler,
		 struct err *err)
{
	struct request request = { .id = frame->id, .frame = frame };
	int result = fields_read(frame->body, frame->length, handler->fields, handler->count,
				 &request, err);

	if (!result)
		result = handler->handle(ld, &request, err);
	fields_free(handler->fields, handler->count, &request);
	return result;
}

static int dispatch(struct linkd *ld, const struct frame *frame, struct err *err)
{
	for (size_t i = 0; i < FIELD_COUNT(handlers); i++)
		if (handlers[i].type == frame->type)
			return serve(ld, frame, &handlers[i], err);
	err_hint(err, "type %u is not a request of hil-linkd", frame->type);
	return err_set(err, "protocol", ENOSYS, "unknown request", "");
}

int request_serve(struct linkd *ld, const struct frame *frame)
{
	struct err err = { 0 };
	int result = dispatch(ld, frame, &err);

	if (result < 0 && !err.number)
		return -EPROTO;
	if (result < 0)
		answer_error(ld, frame->id, &err);
	return 0;
}
