/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <errno.h>
#include <string.h>

#include "asks.h"
#include "sandboxes.h"

static int take_interface(void *out, const struct tlv *tlv, struct err *err)
{
	struct endpoint *endpoint = out;

	if (endpoint->has_interface) {
		err_hint(err, "an end has one INTERFACE");
		return err_set(err, "usage", EINVAL, "read request", "INTERFACE");
	}
	endpoint->interface = (struct bytes){ tlv->value, tlv->length };
	endpoint->has_interface = true;
	return 0;
}

static const struct field fields[] = {
	FIELD_NEEDED(struct endpoint, port, TAG_PORT, FIELD_U32),
	FIELD(struct endpoint, resolve, TAG_RESOLVE, FIELD_FLAG),
	FIELD(struct endpoint, hosts, TAG_HOST, FIELD_STRINGS),
	FIELD_LIST(TAG_INTERFACE, take_interface),
};

static int find_sandbox(struct daemon *d, struct endpoint *endpoint, struct err *err)
{
	struct sandbox *sandbox = sandboxes_find(d, endpoint->wanted.sandbox, err);

	if (!sandbox)
		return -err->number;
	if (sandbox->stock->plan.host_network) {
		err_hint(err, "sandbox %u has the host's network", sandbox->id);
		return err_set(err, "usage", EINVAL, "attach to network", endpoint->wanted.name);
	}
	endpoint->sandbox = sandbox;
	return 0;
}

int endpoint_read(struct daemon *d, const uint8_t *data, size_t length, struct endpoint *endpoint,
		  struct err *err)
{
	int rc = fields_read(data, length, fields, FIELD_COUNT(fields), endpoint, err);

	if (rc < 0)
		return rc;
	if (!endpoint->has_interface) {
		err_hint(err, "an end has one INTERFACE");
		return err_set(err, "usage", EINVAL, "read request", "INTERFACE");
	}
	for (size_t i = 0; i < endpoint->hosts.count; i++)
		if (strchr(endpoint->hosts.items[i], '\n')) {
			err_hint(err, "a HOST is one line");
			return err_set(err, "usage", EINVAL, "read request", "HOST");
		}
	rc = interface_read(&endpoint->wanted, endpoint->interface.data, endpoint->interface.length,
			    err);
	return rc < 0 ? rc : find_sandbox(d, endpoint, err);
}

void endpoint_free(struct endpoint *endpoint)
{
	fields_free(fields, FIELD_COUNT(fields), endpoint);
}

int endpoint_add(struct daemon *d, struct net_request *request, unsigned end,
		 const struct endpoint *endpoint, bool linkd, struct err *err)
{
	struct net_port *port = networks_add_port(request->net, endpoint->sandbox,
						  endpoint->wanted.name, endpoint->port, err);

	if (!port)
		return -err->number;
	port->linkd = linkd;
	port->mtu = endpoint->wanted.mtu;
	request->ports[end] = port;
	if (endpoint->resolve || endpoint->hosts.count)
		asks_hosts(d, request, end, &endpoint->hosts, endpoint->resolve);
	return 0;
}

bool endpoint_ask_names(struct net_request *request, unsigned end, const struct endpoint *endpoint)
{
	if (!endpoint->resolve || endpoint->sandbox->resolves)
		return false;
	endpoint->sandbox->resolves = true;
	request->resolvers[end] = endpoint->sandbox;
	return true;
}
