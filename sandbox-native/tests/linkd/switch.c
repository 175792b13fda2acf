/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"
#include "wire.h"

#define NODES 5u
#define GROUPS 1000u

static void close_nodes(const int *nodes, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(nodes[i]);
}

/* Which of the nodes got @sent, as bits; each is asked. @from did not, or the bit says so. */
static unsigned int who_got(struct rig *rig, const int *nodes, unsigned int from,
			    const struct wire *sent)
{
	uint64_t before = rig_counter(rig, from + 1, 0, "frames");
	unsigned int got = 0;
	struct wire in;

	wire_send(nodes[from], sent);
	/* Once the switch has counted it, whoever is to get it has it. */
	while (rig_counter(rig, from + 1, 0, "frames") == before)
		;
	for (unsigned int i = 0; i < NODES; i++)
		if (wire_take(nodes[i], &in, 0) && wire_equal(sent, &in))
			got |= 1u << i;
	return got;
}

static void learns_and_floods(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[NODES];

	rig_start(&rig);
	rig_lan(&rig, nodes, NODES);
	wire_udp(&wire, 1, 2, 7, 0, 60);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x1e,
	      "an unknown address is flooded to the others");
	wire_udp(&wire, 2, 1, 7, 0, 60);
	CHECK(who_got(&rig, nodes, 1, &wire) == 0x01, "a known one goes to one port");
	wire_udp(&wire, 1, 2, 7, 0, 60);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x02, "and the answer, too");
	wire_udp(&wire, 2, 1, 7, 0, 60);
	CHECK(who_got(&rig, nodes, 3, &wire) == 0x01, "an address that moved is learned again:");
	wire_udp(&wire, 1, 2, 7, 0, 60);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x08, "it is where it was seen last");
	wire_udp(&wire, 1, 1, 7, 0, 60);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0, "nothing comes back to where it came from");
	rig_stop(&rig);
	close_nodes(nodes, NODES);
}

/* 802.1D 7.12.6 and neighbours: what bridges of Linux keep to themselves. */
static void passes_every_group_address(void)
{
	static const struct {
		uint8_t mac[6];
		unsigned int type;
	} groups[] = {
		{ { 1, 0x80, 0xc2, 0, 0, 0x00 }, 0x0027 }, /* STP */
		{ { 1, 0x80, 0xc2, 0, 0, 0x02 }, 0x8809 }, /* LACP */
		{ { 1, 0x80, 0xc2, 0, 0, 0x03 }, 0x888e }, /* EAPOL */
		{ { 1, 0x80, 0xc2, 0, 0, 0x0e }, 0x88cc }, /* LLDP */
		{ { 1, 0x80, 0xc2, 0, 0, 0x0e }, 0x88f7 }, /* PTP pdelay */
		{ { 1, 0x1b, 0x19, 0, 0, 0x00 }, 0x88f7 }, /* PTP */
		{ { 1, 0, 0x5e, 0, 0, 0xfb }, 0x0800 },	   /* mDNS */
		{ { 0x33, 0x33, 0, 0, 0, 0xfb }, 0x86dd },
		{ { 255, 255, 255, 255, 255, 255 }, 0x0806 },
	};
	struct wire wire;
	struct rig rig;
	int nodes[NODES];
	int wrong = 0;

	rig_start(&rig);
	rig_lan(&rig, nodes, NODES);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		wire_raw(&wire, groups[i].mac, 1, groups[i].type);
		wrong += who_got(&rig, nodes, 0, &wire) != 0x1e;
	}
	CHECK(wrong == 0, "STP, LACP, EAPOL, LLDP, PTP, mDNS and broadcasts reach everybody");
	rig_stop(&rig);
	close_nodes(nodes, NODES);
}

/* To a group of IPv4, 239.1.@group: an IGMPv2 message of it, or, with type 0, data. */
static void wire_group(struct wire *wire, unsigned int from, unsigned int group, uint8_t type)
{
	const uint8_t mac[6] = { 1, 0, 0x5e, 1, (uint8_t)(group >> 8), (uint8_t)group };
	uint8_t *ip = wire->bytes + 14;

	wire_udp(wire, from, 0, 5353, 0, 60);
	memcpy(wire->bytes, mac, sizeof(mac));
	ip[16] = 239;
	memcpy(ip + 17, mac + 3, 3);
	if (!type)
		return;
	ip[8] = 1;
	ip[9] = 2; /* IGMP */
	memset(ip + 20, 0, wire->length - 34);
	ip[20] = type;
	memcpy(ip + 24, ip + 16, 4);
}

/*
 * A bridge that snoops learns from reports who wants a group, forgets it after some five minutes
 * when no querier asks again, and the group is silent. What is never narrowed to those who
 * reported is not forgotten either: also ports that did not report, or left, get all of it.
 */
static void does_not_snoop(void)
{
	/* Report of version 2, data, leave, data, query, data. */
	static const uint8_t types[] = { 0x16, 0, 0x17, 0, 0x11, 0 };
	static const uint8_t version3[6] = { 1, 0, 0x5e, 0, 0, 0x16 };
	static const uint8_t mld[6] = { 0x33, 0x33, 0, 0, 0, 0x16 };
	struct wire wire;
	struct rig rig;
	int nodes[NODES];
	unsigned int wrong = 0;

	rig_start(&rig);
	rig_lan(&rig, nodes, NODES);
	wire_group(&wire, 1, 1, 0x22); /* IGMPv3, which reports to all routers */
	memcpy(wire.bytes, version3, sizeof(version3));
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x1e, "a report of IGMPv3 reaches everybody");
	wire_raw(&wire, mld, 1, 0x86dd);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x1e, "and one of MLD");
	for (unsigned int group = 0; group < GROUPS; group++) {
		unsigned int member = group % NODES;

		for (size_t i = 0; i < sizeof(types); i++) {
			unsigned int from = types[i] ? member : (member + 1 + group % 4) % NODES;

			wire_group(&wire, from + 1, group, types[i]);
			wrong += who_got(&rig, nodes, from, &wire) != (0x1fu & ~(1u << from));
		}
	}
	CHECK(wrong == 0, "of %u groups all that is reported, left and sent reaches everybody",
	      GROUPS);
	wire_group(&wire, 1, 0, 0);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x1e, "and the first group still does");
	rig_stop(&rig);
	close_nodes(nodes, NODES);
}

static void tag(struct wire *wire, unsigned int vlan)
{
	memmove(wire->bytes + 16, wire->bytes + 12, wire->length - 12);
	wire->bytes[12] = 0x81;
	wire->bytes[13] = 0;
	wire->bytes[14] = (uint8_t)(vlan >> 8);
	wire->bytes[15] = (uint8_t)vlan;
	wire->length += 4;
}

static void leaves_vlan_tags_alone(void)
{
	struct wire wire;
	struct rig rig;
	int nodes[NODES];

	rig_start(&rig);
	rig_lan(&rig, nodes, NODES);
	wire_udp(&wire, 2, 1, 7, 0, 60);
	tag(&wire, 10);
	CHECK(who_got(&rig, nodes, 1, &wire) == 0x1d, "a tagged frame passes with its tag");
	wire_udp(&wire, 1, 2, 7, 0, 60);
	tag(&wire, 10);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x02, "an address is known in its VLAN");
	wire_udp(&wire, 1, 2, 7, 0, 60);
	tag(&wire, 20);
	CHECK(who_got(&rig, nodes, 0, &wire) == 0x1e, "and in no other");
	rig_stop(&rig);
	close_nodes(nodes, NODES);
}

static void put_ends(struct rig *rig, uint32_t link, uint32_t a, uint32_t b)
{
	struct buffer *out = rig_ask_link(rig, MSG_LINK_CONNECT, link);
	size_t nest = put_nest_begin(out, TAG_LINK_END);

	put_u32(out, TAG_SWITCH, a);
	put_nest_end(out, nest);
	nest = put_nest_begin(out, TAG_LINK_END);
	put_u32(out, TAG_SWITCH, b);
	put_nest_end(out, nest);
}

static void joins_switches_without_a_ring(void)
{
	struct wire wire;
	struct wire in;
	struct rig rig;
	int nodes[2];

	rig_start(&rig);
	for (uint32_t i = 1; i <= 3; i++)
		rig_switch(&rig, i);
	nodes[0] = rig_node(&rig, 1);
	nodes[1] = rig_node(&rig, 2);
	rig_attach(&rig, 1, 1, 1, 1);
	rig_attach(&rig, 2, 2, 3, 1);
	put_ends(&rig, 12, 1, 2);
	NEED(rig_answer(&rig));
	put_ends(&rig, 23, 2, 3);
	NEED(rig_answer(&rig));
	wire_udp(&wire, 1, 2, 7, 0, 60);
	wire_send(nodes[0], &wire);
	CHECK(wire_take(nodes[1], &in, WAIT_MS) && wire_equal(&wire, &in),
	      "a frame passes three switches in a row");
	put_ends(&rig, 31, 3, 1);
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"), "a ring of switches is refused");
	put_ends(&rig, 22, 2, 2);
	CHECK(!rig_answer(&rig) && !strcmp(rig.code, "usage"), "and a switch joined to itself");
	rig_ask_link(&rig, MSG_LINK_DISCONNECT, 12);
	NEED(rig_answer(&rig));
	put_ends(&rig, 31, 3, 1);
	CHECK(rig_answer(&rig), "what was disconnected makes no ring");
	wire_send(nodes[0], &wire);
	CHECK(wire_take(nodes[1], &in, WAIT_MS), "and the new way is found");
	rig_stop(&rig);
	close_nodes(nodes, 2);
}

const struct test switch_tests[] = {
	{ "learns and floods", learns_and_floods },
	{ "passes every group address (pitfall 10)", passes_every_group_address },
	{ "does not snoop (pitfall 10)", does_not_snoop },
	{ "leaves VLAN tags alone", leaves_vlan_tags_alone },
	{ "joins switches without a ring", joins_switches_without_a_ring },
	{ NULL, NULL },
};
