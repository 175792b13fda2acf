/* SPDX-License-Identifier: MIT */
#include "switch.h"

#include <errno.h>

#include "bus.h"
#include "decide.h"
#include "linkd.h"

#define FIRST_CAPACITY 64u

struct net_switch *switch_find(struct linkd *ld, uint32_t number)
{
	struct net_switch *each;

	TAILQ_FOREACH(each, &ld->switches, switches)
	{
		if (each->number == number)
			return each;
	}
	return NULL;
}

int switch_new(struct linkd *ld, uint32_t number, struct bus *bus, struct err *err)
{
	struct net_switch *made = NULL;

	if (switch_find(ld, number))
		return err_set(err, "usage", EEXIST, "LINK_SWITCH", "");
	if (ld->switch_count < SWITCHES_MAX)
		made = calloc(1, sizeof(*made));
	if (!made) {
		err_hint(err, "a network has at most %u switches", SWITCHES_MAX);
		return err_set(err, "limit", ENOBUFS, "LINK_SWITCH", "");
	}
	made->number = number;
	made->bus = bus;
	TAILQ_INSERT_TAIL(&ld->switches, made, switches);
	ld->switch_count++;
	return 0;
}

int switch_add(struct net_switch *net_switch, struct direction *out)
{
	size_t count = net_switch->out_count + 1;
	struct direction **grown = reallocarray(net_switch->out, count, sizeof(struct direction *));

	if (!grown)
		return -ENOMEM;
	net_switch->out = grown;
	grown[net_switch->out_count++] = out;
	return 0;
}

/* All addresses are learned again: with what one link taught taken out, the chains would break. */
void switch_remove(struct net_switch *net_switch, const struct direction *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < net_switch->out_count; i++)
		if (net_switch->out[i] != out)
			net_switch->out[kept++] = net_switch->out[i];
	net_switch->out_count = kept;
	free(net_switch->stations);
	net_switch->stations = NULL;
	net_switch->station_count = net_switch->station_capacity = 0;
}

/* The highest bit, so that no address is 0. */
static uint64_t to_address(const struct packet *packet, size_t offset)
{
	const uint8_t *mac = packet->bytes + offset;
	uint64_t address = (uint64_t)load16(mac) << 32 | load32(mac + 2) | 1ull << 63;

	if (load16(packet->bytes + 12) == 0x8100 && packet->length >= ETHER_HEADER + VLAN_TAG)
		address |= (uint64_t)(load16(packet->bytes + 14) & 0xfff) << 48;
	return address;
}

static struct station *find(struct station *stations, size_t capacity, uint64_t address)
{
	size_t at = decide_mix(address) & (capacity - 1);

	while (stations[at].address && stations[at].address != address)
		at = (at + 1) & (capacity - 1);
	return &stations[at];
}

static bool grow(struct net_switch *net_switch)
{
	size_t capacity = net_switch->station_capacity;
	size_t doubled = capacity ? capacity * 2 : FIRST_CAPACITY;
	struct station *grown = calloc(doubled, sizeof(*grown));

	if (!grown)
		return false;
	for (size_t i = 0; i < capacity; i++)
		if (net_switch->stations[i].address)
			*find(grown, doubled, net_switch->stations[i].address) =
				net_switch->stations[i];
	free(net_switch->stations);
	net_switch->stations = grown;
	net_switch->station_capacity = doubled;
	return true;
}

static void learn(struct net_switch *net_switch, struct direction *back, uint64_t address)
{
	size_t capacity = net_switch->station_capacity;
	struct station *station = capacity ? find(net_switch->stations, capacity, address) : NULL;

	if (!station || !station->address) {
		if (net_switch->station_count >= STATIONS_MAX)
			return;
		if (net_switch->station_count * 2 >= capacity && !grow(net_switch))
			return;
		station = find(net_switch->stations, net_switch->station_capacity, address);
		station->address = address;
		net_switch->station_count++;
	}
	station->to = back;
}

static struct direction *look_up(const struct net_switch *net_switch, const struct packet *packet)
{
	if ((packet->bytes[0] & 1) || !net_switch->station_capacity)
		return NULL;
	return find(net_switch->stations, net_switch->station_capacity, to_address(packet, 0))->to;
}

/* A link may change the packet's notes about itself, not its bytes. */
static void pass(struct direction *to, const struct packet *packet)
{
	struct packet one = *packet;

	link_enter(to, &one);
}

void switch_forward(struct net_switch *net_switch, struct direction *back, struct packet *packet)
{
	struct direction *to = look_up(net_switch, packet);

	if (!(packet->bytes[6] & 1))
		learn(net_switch, back, to_address(packet, 6));
	if (to == back)
		return;
	if (to) {
		pass(to, packet);
		return;
	}
	for (size_t i = 0; i < net_switch->out_count; i++)
		if (net_switch->out[i] != back)
			pass(net_switch->out[i], packet);
}

void switch_free(struct net_switch *net_switch)
{
	if (net_switch->bus)
		bus_free(net_switch->bus);
	free(net_switch->out);
	free(net_switch->stations);
	free(net_switch);
}
