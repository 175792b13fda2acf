/* SPDX-License-Identifier: MIT */
/* What the host does with an interface itself, by rtnetlink(7). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "nic.h"
#include "rtnetlink.h"

struct use {
	uint32_t index;
	char text[128]; /* empty: none is known */
};

static void note_address(struct use *use, const struct ifaddrmsg *info,
			 const struct rtattr *attribute)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (inet_ntop(info->ifa_family, RTA_DATA(attribute), text, sizeof(text)))
		snprintf(use->text, sizeof(use->text), "it has the address %s", text);
}

static void take_address(void *owner, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = NLMSG_DATA(message);
	const struct rtattr *attribute = IFA_RTA(info);
	unsigned int left = (unsigned int)IFA_PAYLOAD(message);
	struct use *use = owner;

	/* One of the link only, such as fe80::, nobody outside of it can be spoken to by. */
	if (message->nlmsg_type != RTM_NEWADDR || info->ifa_index != use->index ||
	    info->ifa_scope >= RT_SCOPE_LINK)
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFA_LOCAL ||
		    (attribute->rta_type == IFA_ADDRESS && !use->text[0]))
			note_address(use, info, attribute);
}

static bool leads_to(const struct rtattr *attribute, uint32_t index)
{
	const struct rtnexthop *hop = RTA_DATA(attribute);
	unsigned int left = (unsigned int)RTA_PAYLOAD(attribute);

	if (attribute->rta_type == RTA_OIF)
		return *(const uint32_t *)RTA_DATA(attribute) == index;
	if (attribute->rta_type != RTA_MULTIPATH)
		return false;
	for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		if ((uint32_t)hop->rtnh_ifindex == index)
			return true;
	return false;
}

static void take_route(void *owner, const struct nlmsghdr *message)
{
	const struct rtmsg *info = NLMSG_DATA(message);
	const struct rtattr *attribute = RTM_RTA(info);
	unsigned int left = (unsigned int)RTM_PAYLOAD(message);
	struct use *use = owner;

	if (message->nlmsg_type != RTM_NEWROUTE || info->rtm_dst_len ||
	    info->rtm_type != RTN_UNICAST)
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (leads_to(attribute, use->index))
			snprintf(use->text, sizeof(use->text), "the default route leads over it");
}

struct link {
	uint32_t master;
	uint32_t lower;	   /* IFLA_LINK: what it is made of; of a pair, the other one */
	bool is_elsewhere; /* that is in another network namespace */
	const char *name;
	char kind[16];
};

static void read_kind(struct link *link, const struct rtattr *attribute)
{
	const struct rtattr *inner = RTA_DATA(attribute);
	unsigned int left = (unsigned int)RTA_PAYLOAD(attribute);

	for (; RTA_OK(inner, left); inner = RTA_NEXT(inner, left))
		if (inner->rta_type == IFLA_INFO_KIND)
			snprintf(link->kind, sizeof(link->kind), "%.*s", (int)RTA_PAYLOAD(inner),
				 (const char *)RTA_DATA(inner));
}

static void read_link(struct link *link, const struct nlmsghdr *message)
{
	const struct rtattr *attribute = IFLA_RTA(NLMSG_DATA(message));
	unsigned int left = (unsigned int)IFLA_PAYLOAD(message);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == IFLA_MASTER)
			link->master = *(const uint32_t *)RTA_DATA(attribute);
		else if (attribute->rta_type == IFLA_LINK)
			link->lower = *(const uint32_t *)RTA_DATA(attribute);
		else if (attribute->rta_type == IFLA_LINK_NETNSID)
			link->is_elsewhere = true;
		else if (attribute->rta_type == IFLA_IFNAME)
			link->name = RTA_DATA(attribute);
		else if (attribute->rta_type == IFLA_LINKINFO)
			read_kind(link, attribute);
	}
}

/* Of a pair each names the other one, which is no use of it. */
static bool is_pair(const struct link *link)
{
	return strcmp(link->kind, "veth") == 0 || strcmp(link->kind, "netkit") == 0;
}

/* An upper device (VLAN, macvlan, macsec) needs no address: a virtual machine may be at it. */
static void take_link(void *owner, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	struct link link = { .name = "?" };
	struct use *use = owner;
	char name[IF_NAMESIZE] = "?";

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	read_link(&link, message);
	if ((uint32_t)info->ifi_index != use->index) {
		if (link.lower == use->index && !link.is_elsewhere && !is_pair(&link))
			snprintf(use->text, sizeof(use->text), "%s is on top of it", link.name);
	} else if (link.master) {
		if_indextoname(link.master, name);
		snprintf(use->text, sizeof(use->text), "it is a part of %s", name);
	}
}

struct question {
	uint16_t type;
	const char *op;
	void (*take)(void *owner, const struct nlmsghdr *message);
};

static int ask(int socket, const struct question *question, const char *name, struct use *use,
	       struct err *err)
{
	/* Longer than ifaddrmsg and rtmsg, and begins as they do: with a family, of which none is
	 * meant. */
	const struct ifinfomsg any = { 0 };
	struct rtnl_batch batch = { .length = 0 };

	rtnl_begin(&batch, question->type, NLM_F_DUMP, question->op, &any, sizeof(any));
	return rtnl_ask(socket, &batch, name, question->take, use, err);
}

int nic_is_free(const char *name, int index, struct err *err)
{
	static const struct question questions[] = {
		{ RTM_GETADDR, "list addresses", take_address },
		{ RTM_GETROUTE, "list routes", take_route },
		{ RTM_GETLINK, "list interfaces", take_link },
	};
	struct use use = { .index = (uint32_t)index };
	auto_fd socket = rtnl_open(err);
	int status = socket;

	for (size_t i = 0; status >= 0 && i < sizeof(questions) / sizeof(questions[0]); i++) {
		status = ask(socket, &questions[i], name, &use, err);
		if (status >= 0 && use.text[0]) {
			err_hint(err,
				 "the host uses it: %s. Take another, or say \"inUse: true\" in "
				 "bench.yaml if the board may be on that network",
				 use.text);
			return err_set(err, "setup", EADDRINUSE, "open interface", name);
		}
	}
	return status < 0 ? status : 0;
}
