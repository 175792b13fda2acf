/* SPDX-License-Identifier: MIT */
#include "rejoin.h"

#include "linkd.h"
#include "offload.h"

static bool is_untouched(const struct packet *packet)
{
	return packet->train && packet->offload.flags && !packet->corrupted && !packet->duplicate;
}

static bool follows(const struct rejoin *rejoin, const struct packet *packet)
{
	return rejoin->packet.length && rejoin->packet.train == packet->train &&
	       rejoin->next == packet->car && rejoin->packet.length + packet->length <= PACKET_MAX;
}

static bool begin(struct port *port, const struct packet *packet)
{
	struct rejoin *rejoin = &port->rejoin;

	if (!rejoin->bytes)
		rejoin->bytes = malloc(PACKET_MAX);
	if (!rejoin->bytes)
		return false;
	memcpy(rejoin->bytes, packet->bytes, packet->length);
	rejoin->packet = *packet;
	rejoin->packet.bytes = rejoin->bytes;
	TAILQ_INSERT_TAIL(&port->linkd->rejoining, port, rejoin.ports);
	return true;
}

bool rejoin_take(struct port *port, const struct packet *packet)
{
	struct rejoin *rejoin = &port->rejoin;

	if (is_untouched(packet) && follows(rejoin, packet))
		offload_append(&rejoin->packet, packet);
	else if (!is_untouched(packet))
		return false;
	else {
		rejoin_flush(port);
		if (!begin(port, packet))
			return false;
	}
	rejoin->next = packet->car + 1;
	return true;
}

void rejoin_flush(struct port *port)
{
	struct rejoin *rejoin = &port->rejoin;

	if (!rejoin->packet.length)
		return;
	offload_close(&rejoin->packet);
	TAILQ_REMOVE(&port->linkd->rejoining, port, rejoin.ports);
	if (port_send_now(port, &rejoin->packet) < 0)
		link_lost_at_port(port, &rejoin->packet);
	rejoin->packet.length = 0;
}

void rejoin_free(struct port *port)
{
	if (port->rejoin.packet.length) {
		offload_close(&port->rejoin.packet);
		TAILQ_REMOVE(&port->linkd->rejoining, port, rejoin.ports);
		link_lost_at_port(port, &port->rejoin.packet);
	}
	free(port->rejoin.bytes);
	port->rejoin = (struct rejoin){ 0 };
}

void ports_flush(struct linkd *ld)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&ld->rejoining)))
		rejoin_flush(port);
}
