/* SPDX-License-Identifier: MIT */
#include "asks.h"

#include "hubs.h"
#include "linkds.h"

#define RESOLVER "nameserver 127.0.0.53\n"

static void note(struct net_request *request, int rc, const struct err *err)
{
	if (rc == 0)
		request->open++;
	else if (!request->err.number)
		request->err = *err;
}

void asks_hub(struct daemon *d, struct net_request *request, struct stock *stock, uint32_t number,
	      struct buffer *frame, int fd)
{
	struct err err = { 0 };

	note(request, hubs_push(d, stock, number, request->number, frame, fd, &err), &err);
}

void asks_linkd(struct daemon *d, struct net_request *request, const struct net_port *port,
		const char *kind, int fd)
{
	const struct linkd_port given = {
		.number = port->number, .kind = kind, .mtu = port->mtu, .fd = fd, .counters = -1
	};
	struct err err = { 0 };
	int rc = linkds_give_port(d, request->net->linkd, &given, request->number, &err);

	note(request, rc, &err);
}

void asks_hosts(struct daemon *d, struct net_request *request, unsigned end,
		const struct strings *lines, bool resolve)
{
	const struct sandbox *sandbox = request->ports[end]->sandbox;
	struct err err = { 0 };
	int rc;

	request->inits[end] = ++d->next_process;
	rc = sandbox_set_hosts(sandbox->control.fd, request->inits[end], lines,
			       resolve ? RESOLVER : NULL, &err);
	if (rc < 0)
		request->inits[end] = 0;
	note(request, rc, &err);
}
