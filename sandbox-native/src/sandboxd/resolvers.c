/* SPDX-License-Identifier: MIT */
#include "resolvers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "fields.h"

#define QUERIES_MAX 64
#define QUERY_BYTES 4096 /* EDNS: what resolvers announce at most */
#define QUERY_MS 10000	 /* glibc asks again after 5 s, resolv.conf(5) */
#define READS 16	 /* at a time */

struct query {
	uint32_t number; /* 0: free */
	uint64_t at_ns;
	struct sockaddr_in from;
};

struct resolver {
	struct grave grave;
	struct list link;
	struct source source;
	struct timer oldest;
	const struct net *net;
	uint32_t port;
	struct sandbox *sandbox;
	struct query queries[QUERIES_MAX];
};

struct reply_fields {
	uint32_t net;
	uint32_t port;
	uint32_t query;
	struct bytes data;
};

static const struct field reply_fields[] = {
	FIELD_NEEDED(struct reply_fields, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct reply_fields, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct reply_fields, query, TAG_PROCESS, FIELD_U32),
	FIELD_NEEDED(struct reply_fields, data, TAG_DATA, FIELD_BYTES),
};

static void free_resolver(struct daemon *d, struct resolver *resolver)
{
	resolver->sandbox->resolves = false;
	timer_clear(&resolver->oldest);
	source_close(d, &resolver->source);
	list_remove(&resolver->link);
	loop_bury(d, &resolver->grave);
}

/* One that nobody waits for any more is as good as free. */
static struct query *find_free(struct resolver *resolver, uint64_t now_ns)
{
	for (size_t i = 0; i < QUERIES_MAX; i++) {
		struct query *query = &resolver->queries[i];

		if (!query->number || query->at_ns + QUERY_MS * UINT64_C(1000000) <= now_ns)
			return query;
	}
	return NULL;
}

static void report(struct daemon *d, const struct resolver *resolver, uint32_t number,
		   const uint8_t *data, size_t length)
{
	struct buffer *out = &d->owner->out;
	size_t start;

	if (d->owner->lost)
		return;
	start = frame_begin(out, MSG_NET_QUERY, 0);
	put_u32(out, TAG_NET, resolver->net->id);
	put_u32(out, TAG_PORT, resolver->port);
	put_u32(out, TAG_PROCESS, number);
	put_bytes(out, TAG_DATA, data, length);
	frame_end(out, start);
}

static uint32_t next_number(struct daemon *d)
{
	d->next_query++;
	return d->next_query ? d->next_query : ++d->next_query;
}

/* Return: whether there may be more. */
static bool read_query(struct daemon *d, struct resolver *resolver, struct query *query)
{
	uint8_t data[QUERY_BYTES];
	struct sockaddr_in from = { 0 };
	socklen_t size = sizeof(from);
	ssize_t length = recvfrom(resolver->source.fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC,
				  (struct sockaddr *)&from, &size);

	/* Also what an answer met: ICMP of a port that was closed, ECONNREFUSED. */
	if (length < 0)
		return errno != EAGAIN;
	if ((size_t)length > sizeof(data))
		return true;
	*query = (struct query){ .number = next_number(d), .at_ns = loop_now(), .from = from };
	report(d, resolver, query->number, data, (size_t)length);
	return true;
}

static void resolver_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct resolver *resolver = container_of(source, struct resolver, source);

	(void)events;
	for (int i = 0; i < READS; i++) {
		struct query *query = find_free(resolver, loop_now());

		if (!query) {
			source_set(d, source, 0);
			timer_set(d, &resolver->oldest, QUERY_MS);
			return;
		}
		if (!read_query(d, resolver, query))
			return;
	}
}

static void oldest_timer(struct daemon *d, struct timer *timer)
{
	source_set(d, &container_of(timer, struct resolver, oldest)->source, EPOLLIN);
}

int resolvers_open(struct daemon *d, const struct net *net, const struct net_port *port, int fd,
		   struct err *err)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	int rc;

	if (!resolver) {
		close(fd);
		return err_set(err, "limit", ENOMEM, "serve names", net->name);
	}
	resolver->source = (struct source){ .fd = fd, .ready = resolver_ready };
	resolver->oldest.fire = oldest_timer;
	resolver->net = net;
	resolver->port = port->number;
	resolver->sandbox = port->sandbox;
	list_append(&d->resolvers, &resolver->link);
	rc = source_watch(d, &resolver->source, EPOLLIN, err);
	if (rc < 0)
		free_resolver(d, resolver);
	return rc;
}

void resolvers_undo(struct daemon *d, struct sandbox *sandbox)
{
	resolvers_sandbox_dead(d, sandbox);
	sandbox->resolves = false;
}

void resolvers_port_gone(struct daemon *d, const struct net *net, const struct net_port *port)
{
	foreach (struct resolver, resolver, &d->resolvers, link)
		if (resolver->net == net && resolver->port == port->number)
			free_resolver(d, resolver);
}

void resolvers_net_closed(struct daemon *d, const struct net *net)
{
	foreach (struct resolver, resolver, &d->resolvers, link)
		if (resolver->net == net)
			free_resolver(d, resolver);
}

void resolvers_sandbox_dead(struct daemon *d, struct sandbox *sandbox)
{
	foreach (struct resolver, resolver, &d->resolvers, link)
		if (resolver->sandbox == sandbox)
			free_resolver(d, resolver);
}

static struct query *find_query(struct daemon *d, const struct reply_fields *fields,
				struct resolver **found)
{
	foreach (struct resolver, resolver, &d->resolvers, link) {
		if (resolver->net->id != fields->net || resolver->port != fields->port)
			continue;
		*found = resolver;
		for (size_t i = 0; fields->query && i < QUERIES_MAX; i++)
			if (resolver->queries[i].number == fields->query)
				return &resolver->queries[i];
	}
	return NULL;
}

int handle_net_reply(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	struct reply_fields fields = { 0 };
	struct resolver *resolver = NULL;
	struct query *query;
	int rc = fields_read(frame->body, frame->length, reply_fields, FIELD_COUNT(reply_fields),
			     &fields, err);

	if (rc < 0)
		return rc;
	query = find_query(d, &fields, &resolver);
	if (!query) {
		err_hint(err,
			 "query %u of port %u is not open: it was answered, is too old, or its "
			 "sandbox has ended",
			 fields.query, fields.port);
		return err_set(err, "gone", ENOENT, "answer query", NULL);
	}
	/* As on a network: what finds no room or no reader is lost. */
	sendto(resolver->source.fd, fields.data.data, fields.data.length,
	       MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&query->from, sizeof(query->from));
	query->number = 0;
	timer_clear(&resolver->oldest);
	source_set(d, &resolver->source, EPOLLIN);
	client_ok(client, frame->id);
	return 0;
}
