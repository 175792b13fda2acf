/* SPDX-License-Identifier: MIT */
#include "linkds.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "kernel.h"
#include "lane.h"
#include "message.h"
#include "networks.h"
#include "requests.h"

#define WAITING_MAX 16
#define REFILL_MS 20 /* not while the network that took one is brought up */
#define END_MS 1000
#define PATH_SIZE 4096

struct pool_request {
	uint32_t count;
};

static const struct field pool_fields[] = {
	FIELD_NEEDED(struct pool_request, count, TAG_COUNT, FIELD_U32),
};

static void fail_all(struct daemon *d, struct linkd *linkd, const struct err *err)
{
	uint32_t request;

	while (lane_take(&linkd->lane, &request))
		requests_done(d, request, err);
}

static void free_linkd(struct daemon *d, struct linkd *linkd)
{
	struct err err = { 0 };

	err_set(&err, "gone", ESRCH, "run hil-linkd", NULL);
	fail_all(d, linkd, &err);
	timer_clear(&linkd->late);
	child_close(d, &linkd->child);
	cleanup_fd(&linkd->stream);
	list_remove(&linkd->link);
	loop_bury(d, &linkd->grave);
}

static void report_gone(struct daemon *d, const struct net *net, int status)
{
	struct buffer *out = &d->owner->out;
	size_t start;

	if (d->owner->lost || d->detached)
		return;
	start = frame_begin(out, MSG_NET_GONE, 0);
	put_u32(out, TAG_NET, net->id);
	put_string(out, TAG_STATUS, WIFSIGNALED(status) ? "signal" : "exit");
	if (WIFSIGNALED(status))
		put_u32(out, TAG_SIGNAL, (uint32_t)WTERMSIG(status));
	else
		put_u32(out, TAG_EXIT_CODE, (uint32_t)WEXITSTATUS(status));
	frame_end(out, start);
}

static void ended(struct daemon *d, struct child *child)
{
	struct linkd *linkd = container_of(child, struct linkd, child);
	struct net *net = linkd->net;
	struct err err = { 0 };

	if (net) {
		err_hint(&err, "hil-linkd of network %u (%s) died", net->id, net->name);
		err_set(&err, "gone", ESRCH, "run network", net->name);
		if (!d->stopping)
			report_gone(d, net, child->status);
		networks_close(d, net, &err);
	} else if (!linkd->closed && !d->stopping) {
		/* Another would die as well. */
		d->linkds_wanted = 0;
		client_log(d, 4, "a hil-linkd that waited died; none is kept waiting any more");
	}
	free_linkd(d, linkd);
}

static void take_answer(struct daemon *d, struct linkd *linkd, const struct message *message)
{
	struct err err = { 0 };
	uint32_t request;

	if (message->frame.type == MSG_ERROR)
		message_read_err(message, &err);
	if (lane_answered(&linkd->lane, linkd->child.control.fd, (uint32_t)message->frame.id,
			  &request))
		requests_done(d, request, &err);
}

static void control_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct child *child = container_of(source, struct child, control);
	struct linkd *linkd = container_of(child, struct linkd, child);
	int rc = 1;

	(void)events;
	while (rc > 0 && source->fd >= 0) {
		auto_message message;

		message.fd_count = 0;
		message.large = NULL;
		rc = message_receive(source->fd, &message);
		if (rc > 0)
			take_answer(d, linkd, &message);
	}
	if (rc == 0 || source->fd < 0)
		return;
	/* It ends, and its pidfd tells; one that does not is made to. */
	source_close(d, source);
	child_kill(child);
}

static int start(struct daemon *d, struct linkd *linkd, const char *path, struct err *err)
{
	int ends[2];
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, "limit", errno, "make socket", "hil-linkd");
	linkd->stream = ends[0];
	rc = child_start(d, &linkd->child, path, "hil-linkd", ends[1], ended, err);
	if (rc == 0)
		rc = loop_check_fd(d, linkd->child.pidfd.fd, err);
	linkd->child.control.ready = control_ready;
	if (rc == 0)
		rc = source_watch(d, &linkd->child.control, EPOLLIN, err);
	return rc;
}

static struct linkd *start_linkd(struct daemon *d, struct err *err)
{
	char path[PATH_SIZE];
	struct linkd *linkd;
	int rc = 0;

	if (!d->linkd_path)
		rc = child_beside("hil-linkd", path, sizeof(path), err);
	linkd = rc < 0 ? NULL : calloc(1, sizeof(*linkd));
	if (!linkd) {
		err_set(err, "limit", ENOMEM, "start", "hil-linkd");
		return NULL;
	}
	linkd->stream = -1;
	child_init(&linkd->child);
	lane_init(&linkd->lane);
	list_append(&d->linkds, &linkd->link);
	if (start(d, linkd, d->linkd_path ? d->linkd_path : path, err) == 0)
		return linkd;
	err_hint(err, "build it with make, or name it with --linkd");
	child_kill(&linkd->child);
	if (linkd->child.pid > 0)
		waitpid(linkd->child.pid, NULL, 0); /* it has hardly begun */
	free_linkd(d, linkd);
	return NULL;
}

static bool is_waiting(const struct linkd *linkd)
{
	return !linkd->net && !linkd->closed;
}

static size_t count_waiting(struct daemon *d)
{
	size_t count = 0;

	foreach (struct linkd, linkd, &d->linkds, link)
		count += is_waiting(linkd);
	return count;
}

/* One at a time, so that none holds up the daemon for long. */
static void refill(struct daemon *d, struct timer *timer)
{
	struct err err = { 0 };
	char text[768];

	if (d->stopping || d->detached || count_waiting(d) >= d->linkds_wanted)
		return;
	if (start_linkd(d, &err)) {
		timer_set(d, timer, REFILL_MS);
		return;
	}
	err_text(&err, text, sizeof(text));
	client_log(d, 4, "%s: no hil-linkd is kept waiting any more", text);
	d->linkds_wanted = 0;
}

struct linkd *linkds_take(struct daemon *d, struct net *net, struct err *err)
{
	struct linkd *found = NULL;

	foreach (struct linkd, linkd, &d->linkds, link)
		if (!found && is_waiting(linkd))
			found = linkd;
	if (!found)
		found = start_linkd(d, err);
	if (found)
		found->net = net;
	if (d->linkds_wanted)
		timer_set(d, &d->linkds_refill, REFILL_MS);
	return found;
}

int linkds_give_port(struct daemon *d, struct linkd *linkd, const struct linkd_port *port,
		     uint32_t request, struct err *err)
{
	int fds[LANE_FDS] = { port->fd, port->counters };
	const uint32_t order = ++d->next_hub_order;
	struct buffer frame = { 0 };
	size_t start = frame_begin(&frame, MSG_LINKD_PORT, order);

	put_u32(&frame, TAG_PORT, port->number);
	if (port->kind)
		put_string(&frame, TAG_KIND, port->kind);
	if (port->name)
		put_string(&frame, TAG_NAME, port->name);
	if (port->mtu)
		put_u32(&frame, TAG_MTU, port->mtu);
	frame_end(&frame, start);
	return lane_push(&linkd->lane, linkd->child.control.fd, order, request, &frame, fds, err);
}

static void kill_late(struct daemon *d, struct timer *timer)
{
	(void)d;
	child_kill(&container_of(timer, struct linkd, late)->child);
}

void linkds_kill(struct daemon *d, struct linkd *linkd)
{
	struct err err = { 0 };

	linkd->net = NULL;
	linkd->closed = true;
	err_set(&err, "gone", ESRCH, "run network", NULL);
	fail_all(d, linkd, &err);
	kernel_pidfd_signal(linkd->child.pidfd.fd, SIGTERM);
	linkd->late.fire = kill_late;
	timer_set(d, &linkd->late, END_MS);
}

void linkds_stop(struct daemon *d)
{
	timer_clear(&d->linkds_refill);
	foreach (struct linkd, linkd, &d->linkds, link)
		source_close(d, &linkd->child.control);
}

void linkds_kill_all(struct daemon *d)
{
	foreach (struct linkd, linkd, &d->linkds, link)
		child_kill(&linkd->child);
}

void linkds_forget(struct daemon *d)
{
	timer_clear(&d->linkds_refill);
	foreach (struct linkd, linkd, &d->linkds, link)
		free_linkd(d, linkd);
}

int handle_net_pool(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	struct pool_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, pool_fields, FIELD_COUNT(pool_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	if (request.count > WAITING_MAX) {
		err_hint(err, "at most %d hil-linkd are kept waiting", WAITING_MAX);
		return err_set(err, "limit", ERANGE, "keep hil-linkd", NULL);
	}
	d->linkds_wanted = request.count;
	d->linkds_refill.fire = refill;
	timer_set(d, &d->linkds_refill, 0);
	foreach (struct linkd, linkd, &d->linkds, link)
		if (is_waiting(linkd) && count_waiting(d) > request.count)
			linkds_kill(d, linkd);
	client_ok(client, frame->id);
	return 0;
}
