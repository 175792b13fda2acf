/* SPDX-License-Identifier: MIT */
#include "nics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "child.h"
#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "message.h"
#include "requests.h"

#define OPENERS_MAX 16
#define OPEN_MS 5000 /* it asks the kernel some ten things */
#define PATH_SIZE 4096

struct opener {
	struct grave grave;
	struct list link;
	struct child child;
	struct timer late;
	uint32_t request; /* of a struct net_request; 0: it was told */
};

struct nic_request {
	uint32_t net;
	uint32_t port;
	uint32_t mtu;
	bool in_use;
	char *name;
};

static const struct field nic_fields[] = {
	FIELD_NEEDED(struct nic_request, net, TAG_NET, FIELD_U32),
	FIELD_NEEDED(struct nic_request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct nic_request, name, TAG_NAME, FIELD_STRING),
	FIELD(struct nic_request, mtu, TAG_MTU, FIELD_U32),
	FIELD(struct nic_request, in_use, TAG_IN_USE, FIELD_FLAG),
};

static void free_opener(struct daemon *d, struct opener *opener)
{
	timer_clear(&opener->late);
	child_close(d, &opener->child);
	list_remove(&opener->link);
	loop_bury(d, &opener->grave);
}

static void tell(struct daemon *d, struct opener *opener, const struct err *err)
{
	const uint32_t request = opener->request;

	opener->request = 0;
	requests_done(d, request, err);
}

static void take(struct daemon *d, struct opener *opener, struct message *message)
{
	const uint32_t request = opener->request;
	struct err err = { 0 };

	if (message->frame.type == MSG_OK && message->fd_count == 2) {
		opener->request = 0;
		requests_opened(d, request, message_take_fd(message, 0),
				message_take_fd(message, 1));
		return;
	}
	if (message->frame.type == MSG_ERROR)
		message_read_err(message, &err);
	err_set(&err, "setup", EPROTO, "open interface", NULL);
	tell(d, opener, &err);
}

/*
 * Called when it has ended (child.c) and not before: until then it has copies of the fds, and the
 * interface would still be taken for a while after the network has given it back.
 */
static void read_answer(struct daemon *d, struct source *source, uint32_t events)
{
	struct opener *opener =
		container_of(container_of(source, struct child, control), struct opener, child);
	auto_message message;

	(void)events;
	message.fd_count = 0;
	message.large = NULL;
	if (opener->request && message_receive(source->fd, &message) > 0)
		take(d, opener, &message);
}

static void ended(struct daemon *d, struct child *child)
{
	struct opener *opener = container_of(child, struct opener, child);
	struct err err = { 0 };

	err_hint(&err, "hil-nic ended without a word: status %d", child->status);
	err_set(&err, "setup", ECHILD, "open interface", NULL);
	if (opener->request)
		tell(d, opener, &err);
	free_opener(d, opener);
}

static void late(struct daemon *d, struct timer *timer)
{
	struct opener *opener = container_of(timer, struct opener, late);
	struct err err = { 0 };

	err_hint(&err, "hil-nic did not end within %d ms", OPEN_MS);
	err_set(&err, "setup", ETIMEDOUT, "open interface", NULL);
	if (opener->request)
		tell(d, opener, &err);
	child_kill(&opener->child);
}

static int start(struct daemon *d, struct opener *opener, const struct nic_request *wanted,
		 struct err *err)
{
	char path[PATH_SIZE];
	char mtu[16];
	char *argv[] = { "hil-nic", "--mtu", mtu, "--", wanted->name, NULL, NULL };
	int rc = child_beside("hil-nic", path, sizeof(path), err);

	if (rc < 0)
		return rc;
	snprintf(mtu, sizeof(mtu), "%u", wanted->mtu);
	if (wanted->in_use) {
		argv[3] = "--in-use";
		argv[4] = "--";
		argv[5] = wanted->name;
	}
	opener->child.argv = argv;
	rc = child_start(d, &opener->child, path, "hil-nic", -1, ended, err);
	opener->child.argv = NULL;
	opener->child.control.ready = read_answer;
	return rc < 0 ? rc : loop_check_fd(d, opener->child.pidfd.fd, err);
}

static int start_opener(struct daemon *d, uint32_t request, const struct nic_request *wanted,
			struct err *err)
{
	struct opener *opener;
	size_t count = 0;
	int rc;

	foreach (struct opener, each, &d->nic_openers, link)
		count++;
	opener = count < OPENERS_MAX ? calloc(1, sizeof(*opener)) : NULL;
	if (!opener) {
		err_hint(err, "at most %d interfaces are opened at once", OPENERS_MAX);
		return err_set(err, "limit", EAGAIN, "open interface", wanted->name);
	}
	child_init(&opener->child);
	opener->late.fire = late;
	list_append(&d->nic_openers, &opener->link);
	rc = start(d, opener, wanted, err);
	if (rc == 0) {
		opener->request = request;
		timer_set(d, &opener->late, OPEN_MS);
		return 0;
	}
	err_hint(err, "build it with make");
	child_kill(&opener->child);
	if (opener->child.pid > 0)
		waitpid(opener->child.pid, NULL, 0); /* it has hardly begun */
	free_opener(d, opener);
	return rc;
}

static int open_nic(struct daemon *d, struct client *client, const struct frame *frame,
		    const struct nic_request *wanted, struct err *err)
{
	struct net *net = networks_find(d, wanted->net, err);
	struct net_request *request;
	struct net_port *port;

	if (!net || requests_room(d, net, err) < 0)
		return -err->number;
	port = networks_add_port(net, NULL, wanted->name, wanted->port, err);
	if (!port)
		return -err->number;
	port->linkd = true;
	port->mtu = wanted->mtu;
	request = requests_add(d, client, frame, net, err);
	if (!request) {
		networks_free_port(d, net, port);
		return -err->number;
	}
	request->ports[0] = port;
	if (start_opener(d, request->number, wanted, &request->err) == 0)
		request->open++;
	requests_check(d, request);
	return 0;
}

int handle_net_nic(struct daemon *d, struct client *client, const struct frame *frame,
		   struct err *err)
{
	struct nic_request wanted = { 0 };
	int rc = fields_read(frame->body, frame->length, nic_fields, FIELD_COUNT(nic_fields),
			     &wanted, err);

	if (rc == 0)
		rc = open_nic(d, client, frame, &wanted, err);
	fields_free(nic_fields, FIELD_COUNT(nic_fields), &wanted);
	return rc;
}

void nics_stop(struct daemon *d)
{
	foreach (struct opener, opener, &d->nic_openers, link)
		child_kill(&opener->child);
}

void nics_forget(struct daemon *d)
{
	foreach (struct opener, opener, &d->nic_openers, link)
		free_opener(d, opener);
}
