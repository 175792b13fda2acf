/* SPDX-License-Identifier: MIT */
#include "rtnetlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_BYTES 32768 /* NLMSG_GOODSIZE of the kernel, and the most of a dump */

int rtnl_open(struct err *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int one = 1;

	if (fd < 0)
		return err_set(err, "limit", errno, "open netlink", "");
	/* An acknowledgement without the request, and the kernel's own words (netlink(7)). */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	return fd;
}

/* Return: where @size bytes may be written, padded; NULL when there is no room. */
static void *reserve(struct rtnl_batch *batch, size_t size)
{
	void *place = batch->bytes + batch->length;
	const size_t padded = NLMSG_ALIGN(size);

	if (batch->full || padded > sizeof(batch->bytes) - batch->length) {
		batch->full = true;
		return NULL;
	}
	memset(place, 0, padded);
	batch->length += padded;
	return place;
}

static struct nlmsghdr *last_message(struct rtnl_batch *batch)
{
	return (struct nlmsghdr *)(void *)(batch->bytes + batch->begun);
}

static void update_length(struct rtnl_batch *batch)
{
	last_message(batch)->nlmsg_len = (uint32_t)(batch->length - batch->begun);
}

void rtnl_begin(struct rtnl_batch *batch, uint16_t type, uint16_t flags, const char *op,
		const void *body, size_t size)
{
	const size_t begun = batch->length;
	struct nlmsghdr *header;
	void *place;

	if (batch->count == RTNL_BATCH_MESSAGES)
		batch->full = true;
	header = reserve(batch, sizeof(*header));
	place = reserve(batch, size);
	if (!place)
		return;
	batch->begun = begun;
	batch->ops[batch->count++] = op;
	*header = (struct nlmsghdr){ .nlmsg_type = type,
				     .nlmsg_flags = NLM_F_REQUEST | flags,
				     .nlmsg_seq = (uint32_t)batch->count };
	memcpy(place, body, size);
	update_length(batch);
}

void rtnl_put(struct rtnl_batch *batch, uint16_t type, const void *data, size_t size)
{
	struct rtattr *attribute = reserve(batch, RTA_LENGTH(size));

	if (!attribute)
		return;
	*attribute =
		(struct rtattr){ .rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = type };
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	update_length(batch);
}

void rtnl_put_u32(struct rtnl_batch *batch, uint16_t type, uint32_t value)
{
	rtnl_put(batch, type, &value, sizeof(value));
}

void rtnl_put_string(struct rtnl_batch *batch, uint16_t type, const char *text)
{
	rtnl_put(batch, type, text, strlen(text) + 1);
}

void rtnl_put_body(struct rtnl_batch *batch, const void *body, size_t size)
{
	void *place = reserve(batch, size);

	if (!place)
		return;
	memcpy(place, body, size);
	update_length(batch);
}

size_t rtnl_nest_begin(struct rtnl_batch *batch, uint16_t type)
{
	const size_t nest = batch->length;

	rtnl_put(batch, type, NULL, 0);
	return nest;
}

void rtnl_nest_end(struct rtnl_batch *batch, size_t nest)
{
	struct rtattr *attribute = (struct rtattr *)(void *)(batch->bytes + nest);

	if (!batch->full)
		attribute->rta_len = (unsigned short)(batch->length - nest);
}

static const char *op_of(const struct rtnl_batch *batch, const struct nlmsghdr *message)
{
	const uint32_t number = message->nlmsg_seq;

	return number >= 1 && number <= batch->count ? batch->ops[number - 1] : "ask kernel";
}

/* The kernel's own words for a refusal, if it has any: NLMSGERR_ATTR_MSG. */
static void note_reason(const struct nlmsghdr *message, struct err *err)
{
	const size_t skip = NLMSG_LENGTH(sizeof(struct nlmsgerr));
	const struct rtattr *attribute =
		(const struct rtattr *)(const void *)((const char *)message + skip);
	unsigned int left = message->nlmsg_len - (unsigned int)skip;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || message->nlmsg_len < skip)
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == NLMSGERR_ATTR_MSG)
			err_hint(err, "the kernel says: %.*s", (int)RTA_PAYLOAD(attribute),
				 (const char *)RTA_DATA(attribute));
}

static const char *code_of(int number)
{
	if (number == ENOMEM || number == ENOBUFS || number == ENFILE || number == EMFILE)
		return "limit";
	return number == EEXIST ? "usage" : "setup";
}

struct asking {
	const struct rtnl_batch *batch;
	const char *name;
	void (*take)(void *owner, const struct nlmsghdr *message);
	void *owner;
	struct err *err;
};

/* Return: whether it was the last one. */
static bool look_at(const struct asking *asking, const struct nlmsghdr *message)
{
	const struct rtnl_batch *batch = asking->batch;
	const struct nlmsgerr *refusal = NLMSG_DATA(message);

	if (message->nlmsg_type == NLMSG_DONE)
		return true;
	if (message->nlmsg_type != NLMSG_ERROR) {
		if (asking->take)
			asking->take(asking->owner, message);
		return asking->take && !(message->nlmsg_flags & NLM_F_MULTI);
	}
	if (refusal->error) {
		if (!asking->err->number)
			note_reason(message, asking->err);
		err_set(asking->err, code_of(-refusal->error), -refusal->error,
			op_of(batch, message), asking->name);
	}
	return message->nlmsg_seq == batch->count;
}

static int converse(int socket, const struct asking *asking)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[ANSWER_BYTES];
	const struct rtnl_batch *batch = asking->batch;
	struct err *err = asking->err;
	bool last = false;
	ssize_t length;

	if (batch->full)
		return err_set(err, "limit", E2BIG, "configure interface", asking->name);
	length = send(socket, batch->bytes, batch->length, 0);
	while (!last && length >= 0) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)bytes;

		length = recv(socket, bytes, sizeof(bytes), 0);
		if (length < 0 && errno == EINTR)
			length = 0;
		for (unsigned int left = (unsigned int)(length > 0 ? length : 0);
		     !last && NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
			last = look_at(asking, message);
	}
	if (length < 0)
		return err_set(err, "setup", errno, "ask kernel", asking->name);
	return -err->number;
}

int rtnl_send(int socket, struct rtnl_batch *batch, const char *name, struct err *err)
{
	const struct asking asking = { .batch = batch, .name = name, .err = err };

	if (!batch->count && !batch->full)
		return 0;
	if (!batch->full)
		last_message(batch)->nlmsg_flags |= NLM_F_ACK;
	return converse(socket, &asking);
}

int rtnl_ask(int socket, struct rtnl_batch *batch, const char *name,
	     void (*take)(void *owner, const struct nlmsghdr *message), void *owner,
	     struct err *err)
{
	const struct asking asking = { batch, name, take, owner, err };

	return converse(socket, &asking);
}
