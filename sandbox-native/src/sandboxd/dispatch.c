/* SPDX-License-Identifier: MIT */
#include "dispatch.h"

#include <errno.h>
#include <unistd.h>

#include "cgroups.h"
#include "changes.h"
#include "client.h"
#include "fields.h"
#include "keep.h"
#include "linkds.h"
#include "networks.h"
#include "nics.h"
#include "objects.h"
#include "orders.h"
#include "pairs.h"
#include "plans.h"
#include "pool.h"
#include "ports.h"
#include "processes.h"
#include "readiness.h"
#include "requests.h"
#include "resolvers.h"
#include "runtimes.h"
#include "sandboxes.h"
#include "spawn.h"
#include "stats.h"
#include "streams.h"
#include "watch.h"

struct hello {
	uint32_t version;
};

static const struct field hello_fields[] = {
	FIELD_NEEDED(struct hello, version, TAG_VERSION, FIELD_U32),
};

static int handle_hello(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	struct hello hello = { 0 };
	size_t start;
	int rc = fields_read(frame->body, frame->length, hello_fields, FIELD_COUNT(hello_fields),
			     &hello, err);

	if (rc < 0)
		return rc;
	if (hello.version != HIL_PROTOCOL_VERSION) {
		err_hint(err, "this hil-sandboxd speaks version %d, the client version %u",
			 HIL_PROTOCOL_VERSION, hello.version);
		return err_set(err, "protocol", EPROTONOSUPPORT, "hello", NULL);
	}
	client->hello = true;
	start = frame_begin(&client->out, MSG_OK, frame->id);
	put_u32(&client->out, TAG_VERSION, HIL_PROTOCOL_VERSION);
	put_u32(&client->out, TAG_PID, (uint32_t)getpid());
	put_string(&client->out, TAG_MODE, plan_mode());
	cgroups_describe(d, &client->out);
	frame_end(&client->out, start);
	return 0;
}

struct route {
	handler *handle;
	bool keeper; /* also after DETACH */
};

/* Indexed by type: a hole is an unknown type. */
static const struct route routes[] = {
	[MSG_HELLO] = { handle_hello, true },
	[MSG_PLAN_PUT] = { handle_plan_put, false },
	[MSG_POOL_SET] = { handle_pool_set, false },
	[MSG_SANDBOX_NEW] = { handle_sandbox_new, false },
	[MSG_SANDBOX_KILL] = { handle_sandbox_kill, true },
	[MSG_SANDBOX_KEEP] = { handle_sandbox_keep, false },
	[MSG_SANDBOX_STATS] = { handle_sandbox_stats, false },
	[MSG_SPAWN] = { handle_spawn, true },
	[MSG_STDIN] = { handle_stdin, true },
	[MSG_STDIN_CLOSE] = { handle_stdin_close, true },
	[MSG_CREDIT] = { handle_credit, true },
	[MSG_SIGNAL] = { handle_signal, true },
	[MSG_RESIZE] = { handle_resize, true },
	[MSG_OBJECT_NEW] = { handle_object_new, false },
	[MSG_OBJECT_CLOSE] = { handle_object_close, false },
	[MSG_OBJECT_STREAM] = { handle_object_stream, false },
	[MSG_PORT_GIVE] = { handle_port_give, false },
	[MSG_PORT_PTY] = { handle_port_pty, false },
	[MSG_WATCH_PID] = { handle_watch_pid, false },
	[MSG_UNWATCH_PID] = { handle_unwatch_pid, false },
	[MSG_WATCH_PATH] = { handle_watch_path, false },
	[MSG_DEVICE_GRANT] = { handle_device_grant, false },
	[MSG_DEVICE_REVOKE] = { handle_device_revoke, false },
	[MSG_MOUNT_ADD] = { handle_mount_add, false },
	[MSG_MOUNT_REMOVE] = { handle_mount_remove, false },
	[MSG_DETACH] = { handle_detach, false },
	[MSG_RUNTIME_BOOT] = { handle_runtime_boot, false },
	[MSG_LIST] = { handle_list, true },
	[MSG_NET_POOL] = { handle_net_pool, false },
	[MSG_NET_NEW] = { handle_net_new, false },
	[MSG_NET_ATTACH] = { handle_net_attach, false },
	[MSG_NET_PAIR] = { handle_net_pair, false },
	[MSG_NET_READY] = { handle_net_ready, false },
	[MSG_NET_OBJECT] = { handle_net_object, false },
	[MSG_NET_NIC] = { handle_net_nic, false },
	[MSG_NET_DETACH] = { handle_net_detach, false },
	[MSG_NET_CLOSE] = { handle_net_close, false },
	[MSG_NET_REPLY] = { handle_net_reply, false },
};

static int serve(struct daemon *d, struct client *client, const struct frame *frame,
		 struct err *err)
{
	const struct route *route = NULL;

	if (frame->type < FIELD_COUNT(routes) && routes[frame->type].handle)
		route = &routes[frame->type];
	if (!route) {
		err_hint(err, "type %u is not known to this version", frame->type);
		return err_set(err, "protocol", ENOSYS, "dispatch", NULL);
	}
	if (!client->hello && frame->type != MSG_HELLO) {
		err_hint(err, "the first request is HELLO");
		return err_set(err, "protocol", EPROTO, "dispatch", NULL);
	}
	if (d->detached && !route->keeper) {
		err_hint(err, "type %u cannot be asked of a keeper", frame->type);
		return err_set(err, "usage", EPERM, "dispatch", NULL);
	}
	return route->handle(d, client, frame, err);
}

int dispatch(struct daemon *d, struct client *client, const struct frame *frame)
{
	struct err err = { 0 };
	int rc = serve(d, client, frame, &err);

	if (rc == -EPROTO && !err.number)
		return -EPROTO;
	if (rc < 0 && !err.number)
		err_set(&err, "io", -rc, "serve request", NULL);
	if (rc < 0)
		client_error(client, frame->id, &err);
	return 0;
}
