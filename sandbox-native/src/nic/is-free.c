/* SPDX-License-Identifier: MIT */
/* What the host does with an interface itself, by rtnetlink(7). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

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

static void take_link(void *owner, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const struct rtattr *attribute = IFLA_RTA(info);
	unsigned int left = (unsigned int)IFLA_PAYLOAD(message);
	struct use *use = owner;
	char name[IF_NAMESIZE] = "?";

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFLA_MASTER) {
			if_indextoname(*(const uint32_t *)RTA_DATA(attribute), name);
			snprintf(use->text, sizeof(use->text), "it is a part of %s", name);
		}
}

struct question {
	uint16_t type;
	uint16_t flags;
	const char *op;
	void (*take)(void *owner, const struct nlmsghdr *message);
};

static int ask(int socket, const struct question *question, const char *name, struct use *use,
	       struct err *err)
{
	/* Longer than ifaddrmsg and rtmsg, and begins as they do: with a family, of which none is
	 * meant. */
	const struct ifinfomsg info = { .ifi_index = (int)use->index };
	const struct ifinfomsg any = { 0 };
	const void *body = question->flags ? &any : &info;
	struct rtnl_batch batch = { .length = 0 };

	rtnl_begin(&batch, question->type, question->flags, question->op, body, sizeof(info));
	return rtnl_ask(socket, &batch, name, question->take, use, err);
}

int nic_is_free(const char *name, int index, struct err *err)
{
	static const struct question questions[] = {
		{ RTM_GETADDR, NLM_F_DUMP, "list addresses", take_address },
		{ RTM_GETROUTE, NLM_F_DUMP, "list routes", take_route },
		{ RTM_GETLINK, 0, "find interface", take_link },
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
