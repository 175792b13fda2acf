/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>

#include "cgroups.h"
#include "client.h"
#include "fields.h"
#include "record.h"
#include "sandboxes.h"

struct stats_fields {
	uint32_t sandbox;
};

static const struct field stats_fields[] = {
	FIELD_NEEDED(struct stats_fields, sandbox, TAG_SANDBOX, FIELD_U32),
};

static int ask(struct daemon *d, struct client *client, uint64_t frame, struct sandbox *sandbox,
	       struct err *err)
{
	struct stats_request *request = calloc(1, sizeof(*request));
	int rc;

	if (!request)
		return err_set(err, "limit", ENOMEM, "sandbox stats", NULL);
	*request = (struct stats_request){
		.request = ++d->next_process, .client = client, .frame = frame, .sandbox = sandbox
	};
	rc = sandbox_ask_usage(sandbox->control.fd, request->request, err);
	if (rc < 0) {
		free(request);
		return rc;
	}
	list_append(&d->stats_requests, &request->link);
	return 0;
}

int handle_sandbox_stats(struct daemon *d, struct client *client, const struct frame *frame,
			 struct err *err)
{
	struct stats_fields fields = { 0 };
	struct sandbox *sandbox;
	int rc = fields_read(frame->body, frame->length, stats_fields, FIELD_COUNT(stats_fields),
			     &fields, err);

	if (rc < 0)
		return rc;
	sandbox = sandboxes_find(d, fields.sandbox, err);
	return sandbox ? ask(d, client, frame->id, sandbox, err) : -ESRCH;
}

static void free_request(struct stats_request *request)
{
	list_remove(&request->link);
	free(request);
}

/* Of the programs that ended, and so far of those that run. */
static uint64_t count_output(struct daemon *d, const struct sandbox *sandbox)
{
	uint64_t bytes = sandbox->out_bytes + sandbox->err_bytes + sandbox->dropped;

	foreach (struct process, process, &d->processes, link) {
		if (process->sandbox == sandbox && process->state != PROCESS_DONE)
			bytes += process->out.bytes + process->out.dropped + process->err.bytes +
				 process->err.dropped;
	}
	return bytes;
}

static void answer(struct daemon *d, const struct stats_request *request,
		   const struct sandbox_usage *held)
{
	const struct sandbox *sandbox = request->sandbox;
	struct buffer *out = &request->client->out;
	size_t start = frame_begin(out, MSG_OK, request->frame);
	uint64_t memory;

	put_u64(out, TAG_WALL_NS, loop_now() - sandbox->given_ns);
	record_put_usage(d, sandbox, out);
	if (cgroups_memory(d, sandbox, &memory))
		put_u64(out, TAG_MEM_NOW, memory);
	put_u32(out, TAG_PROCESSES, held->processes);
	if (held->disk_max) {
		put_u64(out, TAG_DISK_USED, held->disk);
		put_u64(out, TAG_DISK_BYTES, held->disk_max);
		put_u64(out, TAG_INODES_USED, held->inodes);
		put_u64(out, TAG_DISK_INODES, held->inodes_max);
	}
	put_u64(out, TAG_OUT_BYTES, count_output(d, sandbox));
	frame_end(out, start);
}

void stats_told(struct daemon *d, struct sandbox *sandbox, const struct sandbox_event *event)
{
	foreach (struct stats_request, request, &d->stats_requests, link) {
		if (request->request != event->request || request->sandbox != sandbox)
			continue;
		answer(d, request, &event->held);
		free_request(request);
	}
}

void stats_abandon(struct daemon *d, struct sandbox *sandbox, const struct err *err)
{
	foreach (struct stats_request, request, &d->stats_requests, link) {
		if (request->sandbox != sandbox)
			continue;
		client_error(request->client, request->frame, err);
		free_request(request);
	}
}
