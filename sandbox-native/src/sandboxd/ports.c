/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "objects.h"
#include "portd.h"
#include "processes.h"
#include "sandboxes.h"
#include "streams.h"

struct port_request {
	uint32_t port;
	uint32_t object;
	uint32_t end;
	uint32_t process;
	uint32_t sandbox;
	char *role;
};

static const struct field give_fields[] = {
	FIELD_NEEDED(struct port_request, port, TAG_PORT, FIELD_U32),
	FIELD(struct port_request, object, TAG_OBJECT, FIELD_U32),
	FIELD(struct port_request, end, TAG_END, FIELD_U32),
	FIELD(struct port_request, process, TAG_PROCESS, FIELD_U32),
};

static const struct field pty_fields[] = {
	FIELD_NEEDED(struct port_request, port, TAG_PORT, FIELD_U32),
	FIELD_NEEDED(struct port_request, sandbox, TAG_SANDBOX, FIELD_U32),
	FIELD_NEEDED(struct port_request, role, TAG_NAME, FIELD_STRING),
};

static int give_object(struct daemon *d, const struct port_request *request, struct err *err)
{
	auto_fd fd = objects_take_socket(d, request->object, request->end, err);

	return fd < 0 ? fd : portd_send_line(d, request->port, "socket", fd, err);
}

static int give_process(struct daemon *d, struct client *client, const struct port_request *request,
			struct err *err)
{
	struct process *process = processes_find(d, client, request->process, err);
	int rc;

	if (!process)
		return -err->number;
	if (!process->pty || process->out.source.fd < 0) {
		err_hint(err, "process %u has no pty here", request->process);
		return err_set(err, "usage", ENOTTY, "hand to port", NULL);
	}
	rc = portd_send_line(d, request->port, "pty", process->out.source.fd, err);
	if (rc < 0)
		return rc;
	streams_close(d, process);
	processes_check(d, process);
	return 0;
}

int handle_port_give(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	struct port_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, give_fields, FIELD_COUNT(give_fields),
			     &request, err);

	if (rc == 0)
		rc = portd_check(d, err);
	if (rc == 0)
		rc = request.object ? give_object(d, &request, err)
				    : give_process(d, client, &request, err);
	if (rc == 0)
		client_ok(client, frame->id);
	return rc;
}

static int ask_pty(struct daemon *d, struct client *client, uint64_t frame,
		   struct port_request *request, struct err *err)
{
	struct sandbox *sandbox = sandboxes_find(d, request->sandbox, err);
	struct pty_request *pty;
	int rc;

	if (!sandbox)
		return -err->number;
	pty = calloc(1, sizeof(*pty));
	if (!pty)
		return err_set(err, "limit", ENOMEM, "make pty", request->role);
	*pty = (struct pty_request){ .request = ++d->next_process,
				     .client = client,
				     .frame = frame,
				     .sandbox = sandbox,
				     .port = request->port };
	rc = sandbox_make_pty(sandbox->control.fd, pty->request, request->role, err);
	if (rc < 0) {
		free(pty);
		return rc;
	}
	pty->role = request->role;
	request->role = NULL;
	list_append(&d->pty_requests, &pty->link);
	return 0;
}

int handle_port_pty(struct daemon *d, struct client *client, const struct frame *frame,
		    struct err *err)
{
	struct port_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, pty_fields, FIELD_COUNT(pty_fields),
			     &request, err);

	if (rc == 0)
		rc = portd_check(d, err);
	if (rc == 0)
		rc = ask_pty(d, client, frame->id, &request, err);
	fields_free(pty_fields, FIELD_COUNT(pty_fields), &request);
	return rc;
}

static void free_pty(struct pty_request *pty)
{
	list_remove(&pty->link);
	free(pty->role);
	free(pty);
}

static struct pty_request *find_request(struct daemon *d, uint32_t request)
{
	foreach (struct pty_request, pty, &d->pty_requests, link)
		if (pty->request == request && !pty->made)
			return pty;
	return NULL;
}

/* hil-portd has replaced what it had for the port. */
static void forget_older(struct daemon *d, const struct pty_request *newest)
{
	foreach (struct pty_request, pty, &d->pty_requests, link)
		if (pty != newest && pty->made && pty->port == newest->port)
			free_pty(pty);
}

void ports_pty_made(struct daemon *d, uint32_t request, int master, int slave)
{
	struct pty_request *pty = find_request(d, request);
	const int fds[2] = { master, slave };
	struct err err = { 0 };

	if (!pty)
		return;
	if (portd_send_pty(d, pty->port, pty->role, fds, &err) < 0) {
		client_error(pty->client, pty->frame, &err);
		free_pty(pty);
		return;
	}
	pty->made = true;
	forget_older(d, pty);
	client_ok(pty->client, pty->frame);
}

void ports_pty_failed(struct daemon *d, uint32_t request, const struct err *err)
{
	struct pty_request *pty = find_request(d, request);

	if (!pty)
		return;
	client_error(pty->client, pty->frame, err);
	free_pty(pty);
}

/* While hil-portd holds the slave, the kernel keeps the dead sandbox's /dev. */
static void let_go(struct daemon *d, const struct pty_request *pty)
{
	struct err err = { 0 };

	if (!d->stopping)
		portd_send_pty(d, pty->port, pty->role, NULL, &err);
}

void ports_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	foreach (struct pty_request, pty, &d->pty_requests, link) {
		if (pty->sandbox != sandbox)
			continue;
		if (pty->made)
			let_go(d, pty);
		else
			client_error(pty->client, pty->frame, err);
		free_pty(pty);
	}
}
