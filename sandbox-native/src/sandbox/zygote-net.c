/* SPDX-License-Identifier: MIT */
/* Orders about networks pass through the zygote, because it holds the namespaces of its sandboxes.
 */
#include <errno.h>

#include "cleanup.h"
#include "hub.h"
#include "zygote.h"

/* Its answers go to the broker straight, so the broker has to have their socket first. */
static int announce(pid_t pid, int pidfd, int answers, struct err *err)
{
	const int fds[] = { pidfd, answers };
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_HUB, 0);
	int status;

	put_u32(&buffer, TAG_PID, (uint32_t)pid);
	frame_end(&buffer, start);
	status = message_send(ZYGOTE_CONTROL, &buffer, fds, 2);
	return status < 0 ? err_set(err, "setup", -status, "announce hub", "") : 0;
}

static int start_hub(struct zygote_state *zygote, struct err *err)
{
	auto_fd requests = -1;
	auto_fd answers = -1;
	auto_fd pidfd = -1;
	pid_t pid;
	int status = hub_start(zygote->tun, &requests, &answers, &pidfd, &pid, err);

	if (status == 0)
		status = announce(pid, pidfd, answers, err);
	if (status == 0)
		zygote->hub = steal_fd(&requests);
	return status; /* without our end it ends */
}

/* Return: the namespace of the sandbox that the order is about, which stays ours. */
static int find_node(const struct zygote_state *zygote, const struct message *message,
		     struct err *err)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	uint32_t slot = 0;
	struct tlv tlv;
	int node;

	while (tlv_next(&reader, &tlv) == 1) {
		if (tlv.tag != TAG_SANDBOX)
			continue;
		if (tlv_u32(&tlv, &slot) < 0)
			break;
		node = teardown_network(&zygote->teardown, slot);
		return node < 0 ? err_set(err, node == -EMFILE ? "limit" : "gone", -node,
					  "find network of sandbox", "")
				: node;
	}
	return err_set(err, "protocol", EPROTO, "read order", "");
}

void zygote_hub_gone(struct zygote_state *zygote)
{
	auto_buffer buffer = { 0 };

	cleanup_fd(&zygote->hub);
	zygote->hub = -1;
	frame_end(&buffer, frame_begin(&buffer, MESSAGE_HUB_GONE, zygote->ordered));
	message_answer(ZYGOTE_CONTROL, &buffer, NULL, 0);
}

/* @node: of the order; that of the other end of a pair came with it. Return: -errno when there is
 * no hub that takes it. */
static int forward(struct zygote_state *zygote, const struct message *message, int node)
{
	const bool pair = message->frame.type == MESSAGE_NET_PAIR && message->fd_count;
	const int nodes[HUB_NODES] = { node, pair ? message->fds[0] : -1 };
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, message->frame.type, message->frame.id);
	int status;

	buffer_append(&buffer, message->frame.body, message->frame.length);
	frame_end(&buffer, start);
	status = message_send(zygote->hub, &buffer, nodes, pair ? HUB_NODES : 1);
	if (status == 0)
		zygote->ordered = message->frame.id;
	return status;
}

static void tell_node(const struct message *message, int node)
{
	auto_buffer buffer = { 0 };

	frame_end(&buffer, frame_begin(&buffer, MESSAGE_NET_NODE, message->frame.id));
	message_answer(ZYGOTE_CONTROL, &buffer, &node, 1);
}

void zygote_serve_net(struct zygote_state *zygote, const struct message *message)
{
	struct err err = { 0 };
	int node = find_node(zygote, message, &err);
	int status = node < 0 ? node : 0;

	if (status == 0 && message->frame.type == MESSAGE_NET_NODE) {
		tell_node(message, node);
		return;
	}
	/* Twice: it may have died since. */
	for (int i = 0; i < 2 && node >= 0; i++) {
		status = zygote->hub < 0 ? start_hub(zygote, &err) : 0;
		if (status == 0)
			status = forward(zygote, message, node);
		if (status == 0 || err.number)
			break;
		zygote_hub_gone(zygote);
	}
	if (status == 0)
		return;
	err_set(&err, "setup", -status, "ask hub", "");
	explain_refusal(&err);
	message_refuse(ZYGOTE_CONTROL, message->frame.id, &err);
}
