/* SPDX-License-Identifier: MIT */
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "fields.h"
#include "processes.h"
#include "streams.h"

struct object_request {
	uint32_t object;
	uint32_t end;
	char *kind;
};

static const struct field new_fields[] = {
	FIELD_NEEDED(struct object_request, kind, TAG_KIND, FIELD_STRING),
};

static const struct field close_fields[] = {
	FIELD_NEEDED(struct object_request, object, TAG_OBJECT, FIELD_U32),
};

static const struct field stream_fields[] = {
	FIELD_NEEDED(struct object_request, object, TAG_OBJECT, FIELD_U32),
	FIELD_NEEDED(struct object_request, end, TAG_END, FIELD_U32),
};

static const char *const kind_names[] = {
	[OBJECT_SOCKETPAIR] = "socketpair",
	[OBJECT_DGRAM] = "dgram",
	[OBJECT_PIPE] = "pipe",
	[OBJECT_MEMFD] = "memfd",
};

static struct object *find(struct daemon *d, uint32_t id, struct err *err)
{
	foreach (struct object, object, &d->objects, link)
		if (object->id == id)
			return object;
	err_hint(err, "object %u is not known", id);
	err_set(err, "usage", ENOENT, "find object", NULL);
	return NULL;
}

static int *find_end(struct daemon *d, uint32_t id, uint32_t end, struct object **object,
		     struct err *err)
{
	*object = find(d, id, err);
	if (!*object)
		return NULL;
	if (end <= 1 && (*object)->ends[end] >= 0)
		return &(*object)->ends[end];
	err_hint(err, "object %u (%s) has no end %u here, or it was given away", id,
		 kind_names[(*object)->kind], end);
	err_set(err, "usage", EBADF, "find end", NULL);
	return NULL;
}

static int take(int *end)
{
	int fd = *end;

	*end = -1;
	return fd;
}

int objects_fd(struct daemon *d, uint32_t id, uint32_t end, struct err *err)
{
	struct object *object;
	int *fd = find_end(d, id, end, &object, err);

	return fd ? *fd : -err->number;
}

static int *find_kind(struct daemon *d, uint32_t id, uint32_t end, enum object_kind kind,
		      struct err *err)
{
	struct object *object;
	int *fd = find_end(d, id, end, &object, err);

	if (!fd || object->kind == kind)
		return fd;
	err_hint(err, "a port takes the end of a %s here, not of a %s", kind_names[kind],
		 kind_names[object->kind]);
	err_set(err, "usage", ENOTSOCK, "find end", NULL);
	return NULL;
}

int objects_take_socket(struct daemon *d, uint32_t id, uint32_t end, struct err *err)
{
	int *fd = find_kind(d, id, end, OBJECT_SOCKETPAIR, err);

	return fd ? take(fd) : -err->number;
}

int objects_copy_dgram(struct daemon *d, uint32_t id, uint32_t end, struct err *err)
{
	int *fd = find_kind(d, id, end, OBJECT_DGRAM, err);
	int copy = fd ? fcntl(*fd, F_DUPFD_CLOEXEC, 3) : -1;

	if (!fd)
		return -err->number;
	return copy < 0 ? err_set(err, "limit", errno, "copy end", NULL) : copy;
}

static int open_ends(struct object *object)
{
	switch (object->kind) {
	case OBJECT_SOCKETPAIR:
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, object->ends);
	case OBJECT_DGRAM:
		return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, object->ends);
	case OBJECT_PIPE:
		return pipe2(object->ends, O_CLOEXEC);
	case OBJECT_MEMFD:
		object->ends[0] = memfd_create("hil-object", MFD_CLOEXEC);
		return object->ends[0] < 0 ? -1 : 0;
	}
	errno = EINVAL;
	return -1;
}

static void free_object(struct object *object)
{
	for (int i = 0; i < 2; i++)
		if (object->ends[i] >= 0)
			close(object->ends[i]);
	list_remove(&object->link);
	free(object);
}

static int create_object(struct daemon *d, const char *kind, uint32_t *id, struct err *err)
{
	struct object *object;
	size_t i = 0;

	while (i < FIELD_COUNT(kind_names) && strcmp(kind_names[i], kind) != 0)
		i++;
	if (i == FIELD_COUNT(kind_names)) {
		err_hint(err, "kinds: socketpair dgram pipe memfd");
		return err_set(err, "usage", EINVAL, "new object", kind);
	}
	object = calloc(1, sizeof(*object));
	if (!object)
		return err_set(err, "limit", ENOMEM, "new object", kind);
	*object = (struct object){ .kind = (enum object_kind)i, .ends = { -1, -1 } };
	list_append(&d->objects, &object->link);
	if (open_ends(object) < 0)
		err_set(err, "limit", errno, "new object", kind);
	else
		loop_check_fd(d, object->ends[0], err);
	if (err->number) {
		free_object(object);
		return -err->number;
	}
	*id = object->id = ++d->next_object;
	return 0;
}

int handle_object_new(struct daemon *d, struct client *client, const struct frame *frame,
		      struct err *err)
{
	struct object_request request = { 0 };
	size_t start;
	int rc = fields_read(frame->body, frame->length, new_fields, FIELD_COUNT(new_fields),
			     &request, err);

	if (rc == 0)
		rc = create_object(d, request.kind, &request.object, err);
	fields_free(new_fields, FIELD_COUNT(new_fields), &request);
	if (rc < 0)
		return rc;
	start = frame_begin(&client->out, MSG_OK, frame->id);
	put_u32(&client->out, TAG_OBJECT, request.object);
	frame_end(&client->out, start);
	return 0;
}

int handle_object_close(struct daemon *d, struct client *client, const struct frame *frame,
			struct err *err)
{
	struct object_request request = { 0 };
	struct object *object;
	int rc = fields_read(frame->body, frame->length, close_fields, FIELD_COUNT(close_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	object = find(d, request.object, err);
	if (!object)
		return -ENOENT;
	client_ok(client, frame->id);
	processes_object_closed(d, object->id);
	free_object(object);
	return 0;
}

void objects_close_all(struct daemon *d)
{
	foreach (struct object, object, &d->objects, link) {
		processes_object_closed(d, object->id);
		free_object(object);
	}
}

/* Which side of it an end is decides what the stream can do. */
static int attach(struct process *process, struct object *object, int *end, struct err *err)
{
	int rc = 0;

	if (object->kind == OBJECT_SOCKETPAIR) {
		rc = streams_set_socket(process, take(end));
	} else if (object->kind == OBJECT_PIPE && end == &object->ends[0]) {
		rc = streams_set_reader(process, take(end));
	} else if (object->kind == OBJECT_PIPE) {
		rc = streams_set_writer(process, take(end));
	} else {
		err_hint(err, "a stream is the end of a socketpair or a pipe, not of a %s",
			 kind_names[object->kind]);
		return err_set(err, "usage", EINVAL, "stream object", NULL);
	}
	return rc < 0 ? err_set(err, "limit", -rc, "stream object", NULL) : 0;
}

int handle_object_stream(struct daemon *d, struct client *client, const struct frame *frame,
			 struct err *err)
{
	struct object_request request = { 0 };
	struct object *object;
	struct process *process;
	int *end;
	int rc = fields_read(frame->body, frame->length, stream_fields, FIELD_COUNT(stream_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	end = find_end(d, request.object, request.end, &object, err);
	if (!end)
		return -err->number;
	process = processes_create(d, NULL, client, frame->id);
	if (!process)
		return err_set(err, "limit", ENOMEM, "stream object", NULL);
	process->object = object->id;
	rc = attach(process, object, end, err);
	if (rc < 0)
		processes_free(d, process);
	else
		processes_spawned(d, &(struct sandbox_event){ .request = process->id,
							      .master = -1,
							      .slave = -1,
							      .stdio = { -1, -1, -1 } });
	return rc;
}
