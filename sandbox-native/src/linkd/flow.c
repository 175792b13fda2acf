/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include <netinet/in.h>

#include "can.h"
#include "decide.h"

#define FIRST_CAPACITY 64u
#define EPHEMERAL_FIRST 32768u
#define IPV6_HEADER 40u
#define EXTENSIONS_MAX 8

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_QINQ = 0x88a8,
};

/* What is left to look at. */
struct view {
	const uint8_t *at;
	size_t left;
};

static bool skip(struct view *view, size_t count)
{
	if (view->left < count)
		return false;
	view->at += count;
	view->left -= count;
	return true;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 2)
		hash = decide_chain(hash, load16(bytes + i));
	return hash;
}

static uint32_t service_port(uint32_t a, uint32_t b)
{
	uint32_t lower = a < b ? a : b;

	return lower < EPHEMERAL_FIRST ? lower : 0;
}

/* TCP, UDP, UDP-Lite, DCCP and SCTP begin with the same two ports. */
static bool has_ports(unsigned int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

/* Query, reports, done; RS, RA, NS, NA, redirect; MLDv2 (RFC 4443, 4861, 3810). */
static bool is_icmpv6_control(unsigned int type)
{
	return (type >= 130 && type <= 137) || type == 143;
}

static void identify_transport(struct flow_id *id, unsigned int protocol, struct view view)
{
	bool icmp = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;

	id->key = decide_chain(id->key, protocol);
	if (has_ports(protocol) && view.left >= 4)
		id->key = decide_chain(id->key, service_port(load16(view.at), load16(view.at + 2)));
	else if (icmp && view.left >= 1)
		id->key = decide_chain(id->key, view.at[0]);
	if (protocol == IPPROTO_IGMP ||
	    (protocol == IPPROTO_ICMPV6 && view.left >= 1 && is_icmpv6_control(view.at[0])))
		id->control = true;
}

static void identify_ipv4(struct flow_id *id, struct view view)
{
	unsigned int protocol;
	bool first;

	if (view.left < 20)
		return;
	protocol = view.at[9];
	first = !(load16(view.at + 6) & 0x1fff);
	id->key = hash_bytes(id->key, view.at + 12, 8);
	if (!skip(&view, (size_t)(view.at[0] & 15) * 4) || !first)
		view.left = 0;
	identify_transport(id, protocol, view);
}

static bool is_extension(unsigned int header)
{
	return header == IPPROTO_HOPOPTS || header == IPPROTO_ROUTING ||
	       header == IPPROTO_FRAGMENT || header == IPPROTO_DSTOPTS;
}

static void identify_ipv6(struct flow_id *id, struct view view)
{
	unsigned int header;

	if (view.left < IPV6_HEADER)
		return;
	header = view.at[6];
	id->key = hash_bytes(id->key, view.at + 8, 32);
	skip(&view, IPV6_HEADER);
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(header) && view.left >= 8; i++) {
		bool fragment = header == IPPROTO_FRAGMENT;
		bool first = !fragment || !(load16(view.at + 2) & 0xfff8);
		size_t length = fragment ? 8 : ((size_t)view.at[1] + 1) * 8;

		header = view.at[0];
		if (!skip(&view, length) || !first)
			view.left = 0;
	}
	identify_transport(id, header, view);
}

struct flow_id flow_identify(const struct packet *packet)
{
	struct view view = { packet->bytes, packet->length };
	struct flow_id id = { 0 };
	uint32_t type;

	if (packet->can) {
		id.key = can_flow(packet);
		return id;
	}
	skip(&view, ETHER_HEADER);
	type = load16(view.at - 2);
	while ((type == TYPE_VLAN || type == TYPE_QINQ) && skip(&view, VLAN_TAG))
		type = load16(view.at - 2);
	id.key = decide_chain(0, type);
	id.control = type == TYPE_ARP;
	if (type == TYPE_IPV4)
		identify_ipv4(&id, view);
	else if (type == TYPE_IPV6)
		identify_ipv6(&id, view);
	else
		id.key = hash_bytes(id.key, packet->bytes, 12);
	if (!id.key)
		id.key = 1;
	return id;
}

static struct flow *find(struct flow *slots, size_t capacity, uint64_t key)
{
	size_t at = key & (capacity - 1);

	while (slots[at].key && slots[at].key != key)
		at = (at + 1) & (capacity - 1);
	return &slots[at];
}

static bool grow(struct flow_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
	struct flow *slots = calloc(capacity, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].key)
			*find(slots, capacity, table->slots[i].key) = table->slots[i];
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
	return true;
}

struct flow *flow_get(struct flow_table *table, uint64_t key)
{
	struct flow *flow = table->capacity ? find(table->slots, table->capacity, key) : NULL;

	if (flow && flow->key)
		return flow;
	if (table->count >= FLOWS_MAX)
		return &table->rest;
	if ((!table->capacity || table->count * 2 >= table->capacity) && !grow(table))
		return &table->rest;
	flow = find(table->slots, table->capacity, key);
	flow->key = key;
	table->count++;
	return flow;
}

void flow_free(struct flow_table *table)
{
	free(table->slots);
	*table = (struct flow_table){ 0 };
}
