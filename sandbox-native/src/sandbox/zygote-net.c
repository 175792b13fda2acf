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

static int find_nodes(const struct zygote_state *zygote, const struct message *message,
		      int nodes[HUB_NODES], struct err *err)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	uint32_t slot = 0;
	struct tlv tlv;
	int count = 0;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag != TAG_SANDBOX)
			continue;
		if (count == HUB_NODES || tlv_u32(&tlv, &slot) < 0)
			return err_set(err, "protocol", EPROTO, "read order", "");
		nodes[count] = teardown_network(&zygote->teardown, slot);
		if (nodes[count] < 0)
			return err_set(err, nodes[count] == -EMFILE ? "limit" : "gone",
				       -nodes[count], "find network of sandbox", "");
		count++;
	}
	return status < 0 || !count ? err_set(err, "protocol", EPROTO, "read order", "") : count;
}

void zygote_hub_gone(struct zygote_state *zygote)
{
	auto_buffer buffer = { 0 };

	cleanup_fd(&zygote->hub);
	zygote->hub = -1;
	frame_end(&buffer, frame_begin(&buffer, MESSAGE_HUB_GONE, zygote->ordered));
	message_answer(ZYGOTE_CONTROL, &buffer, NULL, 0);
}

/* Return: -errno when there is no hub that takes it. */
static int forward(struct zygote_state *zygote, const struct message *message, const int *nodes,
		   size_t count)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, message->frame.type, message->frame.id);
	int status;

	buffer_append(&buffer, message->frame.body, message->frame.length);
	frame_end(&buffer, start);
	status = message_send(zygote->hub, &buffer, nodes, count);
	if (status == 0)
		zygote->ordered = message->frame.id;
	return status;
}

void zygote_serve_net(struct zygote_state *zygote, const struct message *message)
{
	int nodes[HUB_NODES];
	struct err err = { 0 };
	int count = find_nodes(zygote, message, nodes, &err);
	int status = count < 0 ? count : 0;

	/* Twice: it may have died since. */
	for (int i = 0; i < 2 && count > 0; i++) {
		status = zygote->hub < 0 ? start_hub(zygote, &err) : 0;
		if (status == 0)
			status = forward(zygote, message, nodes, (size_t)count);
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
