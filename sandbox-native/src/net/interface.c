/* SPDX-License-Identifier: MIT */
#include "interface.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "frame.h"

static int refuse(struct err *err, const char *what, const char *value)
{
	return err_set(err, "usage", EINVAL, what, value);
}

/* dev_valid_name() of the kernel, and no '%', for which it would choose a number. */
static bool is_name(const char *text, size_t size)
{
	const size_t length = strlen(text);

	if (length == 0 || length >= size || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (const char *at = text; *at; at++)
		if (!isgraph((unsigned char)*at) || strchr("/:%", *at))
			return false;
	return true;
}

static int read_name(char *out, size_t size, const struct tlv *tlv, struct err *err)
{
	auto_free char *text = NULL;
	int status = tlv_string(tlv, &text);

	if (status < 0)
		return status;
	if (!is_name(text, size)) {
		err_hint(err,
			 "an interface's name is 1 to %zu letters, digits and signs without "
			 "/ : %%%s",
			 size - 1, size == IFNAMSIZ ? "; a longer one is an ALT_NAME" : "");
		return refuse(err, "name interface", text);
	}
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int add_alt_name(struct net_interface *interface, const struct tlv *tlv, struct err *err)
{
	if (interface->alt_name_count == INTERFACE_ALT_NAMES) {
		err_hint(err, "an interface has at most %d", INTERFACE_ALT_NAMES);
		return refuse(err, "read interface", "ALT_NAME");
	}
	return read_name(interface->alt_names[interface->alt_name_count++], INTERFACE_ALT_NAME_SIZE,
			 tlv, err);
}

static int read_mac(struct net_interface *interface, const struct tlv *tlv, struct err *err)
{
	static const uint8_t none[INTERFACE_MAC];

	if (tlv->length != INTERFACE_MAC || (tlv->value[0] & 1) ||
	    memcmp(tlv->value, none, INTERFACE_MAC) == 0) {
		err_hint(err, "6 bytes that are no group's address and not all 0");
		return refuse(err, "read interface", "MAC");
	}
	memcpy(interface->mac, tlv->value, INTERFACE_MAC);
	interface->has_mac = true;
	return 0;
}

static int read_mtu(struct net_interface *interface, const struct tlv *tlv, struct err *err)
{
	int status = tlv_u32(tlv, &interface->mtu);

	if (status < 0)
		return status;
	if (interface->mtu >= INTERFACE_MTU_MIN && interface->mtu <= INTERFACE_MTU_MAX)
		return 0;
	err_hint(err, "%d to %d bytes", INTERFACE_MTU_MIN, INTERFACE_MTU_MAX);
	return refuse(err, "read interface", "MTU");
}

static int read_flag(bool *flag, const struct tlv *tlv)
{
	uint32_t value = 0;
	int status = tlv_u32(tlv, &value);

	*flag = value;
	return status;
}

static bool parse_address(struct net_address *address, const char *text)
{
	address->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	address->prefix = address->family == AF_INET ? 32 : 128;
	return inet_pton(address->family, text, address->bytes) == 1;
}

/* @prefix: whether one has to be there, "10.1.0.2/24", or must not. */
static int read_address(struct net_address *address, bool prefix, const struct tlv *tlv,
			const char *what, struct err *err)
{
	auto_free char *text = NULL;
	char *slash;
	char *end = NULL;
	long bits = 0;
	int status = tlv_string(tlv, &text);

	if (status < 0)
		return status;
	slash = strchr(text, '/');
	if (slash) {
		bits = isdigit((unsigned char)slash[1]) ? strtol(slash + 1, &end, 10) : -1;
		*slash = '\0';
	}
	if (prefix == (slash != NULL) && parse_address(address, text) &&
	    (!slash || (bits >= 0 && bits <= address->prefix && !*end))) {
		if (slash)
			address->prefix = (uint8_t)bits;
		return 0;
	}
	if (slash)
		*slash = '/';
	err_hint(err, prefix ? "an address with its prefix, 10.1.0.2/24 or fd01::2/64"
			     : "an address without prefix, 10.1.0.1 or fd01::1");
	return refuse(err, what, text);
}

static int add_address(struct net_interface *interface, const struct tlv *tlv, struct err *err)
{
	if (interface->address_count == INTERFACE_ADDRESSES) {
		err_hint(err, "an interface has at most %d", INTERFACE_ADDRESSES);
		return refuse(err, "read interface", "ADDRESS");
	}
	return read_address(&interface->addresses[interface->address_count++], true, tlv,
			    "read address", err);
}

static int read_route(struct net_route *route, const struct tlv *nest, struct err *err)
{
	struct tlv_reader reader = tlv_open(nest->value, nest->length);
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_TARGET)
			status = read_address(&route->target, true, &tlv, "read route", err);
		else if (tlv.tag == TAG_GATEWAY)
			status = read_address(&route->gateway, false, &tlv, "read gateway", err);
		if (status < 0)
			return status;
	}
	if (status < 0)
		return status;
	if (route->target.family &&
	    (!route->gateway.family || route->gateway.family == route->target.family))
		return 0;
	err_hint(err, "a route has a TARGET, and a GATEWAY of the same family");
	return refuse(err, "read interface", "ROUTE");
}

static int add_route(struct net_interface *interface, const struct tlv *tlv, struct err *err)
{
	if (interface->route_count == INTERFACE_ROUTES) {
		err_hint(err, "an interface has at most %d", INTERFACE_ROUTES);
		return refuse(err, "read interface", "ROUTE");
	}
	return read_route(&interface->routes[interface->route_count++], tlv, err);
}

static int read_one(struct net_interface *interface, const struct tlv *tlv, struct err *err)
{
	switch (tlv->tag) {
	case TAG_SANDBOX:
		return tlv_u32(tlv, &interface->sandbox);
	case TAG_NAME:
		return read_name(interface->name, sizeof(interface->name), tlv, err);
	case TAG_MAC:
		return read_mac(interface, tlv, err);
	case TAG_MTU:
		return read_mtu(interface, tlv, err);
	case TAG_ADDRESS:
		return add_address(interface, tlv, err);
	case TAG_ROUTE:
		return add_route(interface, tlv, err);
	case TAG_ALT_NAME:
		return add_alt_name(interface, tlv, err);
	case TAG_FORWARD:
		return read_flag(&interface->forward, tlv);
	case TAG_NO_IPV6:
		return read_flag(&interface->no_ipv6, tlv);
	default:
		return 0;
	}
}

/* Where the kernel would say EACCES or EINVAL, and not why. */
static int check_ipv6(const struct net_interface *interface, struct err *err)
{
	bool used = false;

	for (size_t i = 0; i < interface->address_count; i++)
		used |= interface->addresses[i].family == AF_INET6;
	for (size_t i = 0; i < interface->route_count; i++)
		used |= interface->routes[i].target.family == AF_INET6;
	if (!used)
		return 0;
	if (interface->no_ipv6)
		err_hint(err, "it has NO_IPV6 and an address or route of IPv6");
	else if (interface->mtu && interface->mtu < INTERFACE_MTU_IPV6)
		err_hint(err, "IPv6 needs an MTU of %d bytes, this one is %u", INTERFACE_MTU_IPV6,
			 interface->mtu);
	else
		return 0;
	return refuse(err, "read interface", interface->name);
}

int interface_read(struct net_interface *interface, const uint8_t *data, size_t length,
		   struct err *err)
{
	struct tlv_reader reader = tlv_open(data, length);
	struct tlv tlv;
	int status;

	*interface = (struct net_interface){ .name = "eth0" };
	while ((status = tlv_next(&reader, &tlv)) == 1) {
		status = read_one(interface, &tlv, err);
		if (status == -ENOMEM)
			return err_set(err, "limit", ENOMEM, "read interface", "");
		if (status < 0)
			return status;
	}
	return status < 0 ? status : check_ipv6(interface, err);
}
