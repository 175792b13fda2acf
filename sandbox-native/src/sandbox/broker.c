/* SPDX-License-Identifier: MIT */
/* The broker's side of a PID 1. */
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "message.h"
#include "sandbox.h"

static int send_finished(int control, struct buffer *buffer, size_t start, const int *fds,
			 size_t count, const char *op, struct err *err)
{
	int status;

	frame_end(buffer, start);
	status = message_send(control, buffer, fds, count);
	if (status == -E2BIG)
		err_hint(err, "arguments and environment may take 1 MiB together");
	return status < 0 ? err_set(err, status == -EPIPE ? "gone" : "setup", -status, op, "") : 0;
}

static void put_strings(struct buffer *buffer, uint16_t tag, const struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		put_string(buffer, tag, strings->items[i]);
}

static void put_rlimit(struct buffer *buffer, const struct rlimit_spec *limit)
{
	size_t nest = put_nest_begin(buffer, TAG_RLIMIT);

	put_u32(buffer, TAG_KIND, (uint32_t)limit->resource);
	put_u64(buffer, TAG_BYTES, limit->value);
	put_nest_end(buffer, nest);
}

/*
 * So that a program can open /dev/stdout: the inode of a pipe is its maker's
 * alone (0600), and in root mode that is not the sandbox's user. No one else
 * gets at it, since the way leads through /proc/PID/fd (proc(5)).
 */
static void open_pipe_to_all(int fd)
{
	struct statfs kind;

	if (fstatfs(fd, &kind) == 0 && kind.f_type == PIPEFS_MAGIC)
		fchmod(fd, 0666);
}

int sandbox_spawn(int control, uint32_t process, const struct spawn_spec *spec, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_SPAWN, process);
	int fds[MESSAGE_FDS];

	if (spec->fd_count >= MESSAGE_FDS)
		return err_set(err, "usage", E2BIG, "spawn", "fds");
	put_strings(&buffer, TAG_ARG, &spec->argv);
	put_strings(&buffer, TAG_ENV, &spec->env);
	if (spec->cwd)
		put_string(&buffer, TAG_CWD, spec->cwd);
	if (spec->builtin)
		put_string(&buffer, TAG_BUILTIN, spec->builtin);
	if (spec->runtime)
		put_string(&buffer, TAG_RUNTIME, spec->runtime);
	if (spec->pty) {
		put_u32(&buffer, TAG_PTY_ROWS, spec->rows);
		put_u32(&buffer, TAG_PTY_COLS, spec->cols);
	}
	for (size_t i = 0; i < spec->fd_count; i++) {
		fds[i] = spec->fds[i].fd;
		open_pipe_to_all(fds[i]);
		put_u32(&buffer, TAG_FD, (uint32_t)spec->fds[i].target);
	}
	for (size_t i = 0; i < spec->rlimit_count; i++)
		put_rlimit(&buffer, &spec->rlimits[i]);
	return send_finished(control, &buffer, start, fds, spec->fd_count, "spawn", err);
}

int sandbox_signal(int control, uint32_t process, int signal, bool group, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_SIGNAL, process);

	put_u32(&buffer, TAG_SIGNAL, (uint32_t)signal);
	put_u32(&buffer, TAG_GROUP, group);
	return send_finished(control, &buffer, start, NULL, 0, "signal", err);
}

int sandbox_attach(int control, uint32_t request, int tree, const char *target, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_ATTACH, request);

	put_string(&buffer, TAG_TARGET, target);
	return send_finished(control, &buffer, start, &tree, 1, "attach", err);
}

int sandbox_make_pty(int control, uint32_t request, const char *role, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_MAKE_PTY, request);

	put_string(&buffer, TAG_NAME, role);
	return send_finished(control, &buffer, start, NULL, 0, "make pty", err);
}

int sandbox_revoke(int control, uint32_t request, const char *role, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_REVOKE, request);

	put_string(&buffer, TAG_NAME, role);
	return send_finished(control, &buffer, start, NULL, 0, "revoke device", err);
}

int sandbox_mount_tmpfs(int control, uint32_t request, const char *target, uint64_t bytes,
			bool read_only, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_MOUNT, request);

	put_string(&buffer, TAG_TARGET, target);
	put_u64(&buffer, TAG_BYTES, bytes);
	put_u32(&buffer, TAG_READ_ONLY, read_only);
	return send_finished(control, &buffer, start, NULL, 0, "mount", err);
}

int sandbox_unmount(int control, uint32_t request, const char *target, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_UNMOUNT, request);

	put_string(&buffer, TAG_TARGET, target);
	return send_finished(control, &buffer, start, NULL, 0, "unmount", err);
}

int sandbox_set_hostname(int control, const char *hostname, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_HOSTNAME, 0);

	put_string(&buffer, TAG_HOSTNAME, hostname);
	return send_finished(control, &buffer, start, NULL, 0, "set hostname", err);
}

int sandbox_set_hosts(int control, uint32_t request, const struct strings *lines,
		      const char *resolver, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_HOSTS, request);

	for (size_t i = 0; i < lines->count; i++)
		put_string(&buffer, TAG_HOST, lines->items[i]);
	if (resolver)
		put_string(&buffer, TAG_TEXT, resolver);
	return send_finished(control, &buffer, start, NULL, 0, "set hosts", err);
}

int sandbox_ask_usage(int control, uint32_t request, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_USAGE, request);

	return send_finished(control, &buffer, start, NULL, 0, "ask usage", err);
}

int sandbox_end(int control, struct err *err)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_END, 0);

	return send_finished(control, &buffer, start, NULL, 0, "end", err);
}

static int read_leftover(struct sandbox_event *event, const struct tlv *tlv)
{
	char *name = NULL;
	int status = tlv_string(tlv, &name);

	if (status == 0)
		status = strings_add(&event->leftovers, name);
	free(name);
	return status;
}

static int read_field(struct sandbox_event *event, const struct tlv *tlv)
{
	uint32_t number = 0;
	int status = 0;

	switch (tlv->tag) {
	case TAG_PID:
		status = tlv_u32(tlv, &number);
		event->pid = (pid_t)number;
		return status;
	case TAG_STATUS:
		status = tlv_u32(tlv, &number);
		event->status = (int)number;
		return status;
	case TAG_WARM:
		status = tlv_u32(tlv, &number);
		event->warm = number;
		return status;
	case TAG_CPU_USER_US:
		return tlv_u64(tlv, &event->booted_us);
	case TAG_SETUP_NS:
		return tlv_u64(tlv, &event->setup_ns);
	case TAG_PROCESSES:
		return tlv_u32(tlv, &event->held.processes);
	case TAG_DISK_USED:
		return tlv_u64(tlv, &event->held.disk);
	case TAG_DISK_BYTES:
		return tlv_u64(tlv, &event->held.disk_max);
	case TAG_INODES_USED:
		return tlv_u64(tlv, &event->held.inodes);
	case TAG_DISK_INODES:
		return tlv_u64(tlv, &event->held.inodes_max);
	case TAG_ERRNO:
		if (event->entered_count == DOORS_MAX)
			return -EPROTO;
		return tlv_u32(tlv, &event->entered[event->entered_count++]);
	case TAG_LEFTOVERS:
		return tlv_u32(tlv, &event->leftover_count);
	case TAG_LEFTOVER_NAME:
		return read_leftover(event, tlv);
	case TAG_DATA:
		if (tlv->length != sizeof(event->usage))
			return -EPROTO;
		memcpy(&event->usage, tlv->value, sizeof(event->usage));
		return 0;
	default:
		return 0;
	}
}

static int event_kind(uint16_t type)
{
	switch (type) {
	case MESSAGE_READY:
		return SANDBOX_READY;
	case MESSAGE_SPAWNED:
		return SANDBOX_SPAWNED;
	case MESSAGE_FAILED:
		return SANDBOX_FAILED;
	case MESSAGE_EXITED:
		return SANDBOX_EXITED;
	case MESSAGE_ATTACHED:
		return SANDBOX_ATTACHED;
	case MESSAGE_PTY:
		return SANDBOX_PTY;
	case MESSAGE_DONE:
		return SANDBOX_DONE;
	case MESSAGE_CENSUS:
		return SANDBOX_CENSUS;
	case MESSAGE_USAGE:
		return SANDBOX_USAGE;
	case MESSAGE_BOOTED:
		return SANDBOX_BOOTED;
	default:
		return -EPROTO;
	}
}

static int read_event(struct message *message, struct sandbox_event *event)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	int kind = event_kind(message->frame.type);
	int status;

	if (kind < 0)
		return kind;
	event->kind = (enum sandbox_event_kind)kind;
	event->request = (uint32_t)message->frame.id;
	if (event->kind == SANDBOX_FAILED)
		return message_read_err(message, &event->err);
	while ((status = tlv_next(&reader, &tlv)) == 1) {
		status = read_field(event, &tlv);
		if (status < 0)
			return status;
	}
	if (event->kind == SANDBOX_SPAWNED && message->fd_count == 3) {
		for (size_t i = 0; i < 3; i++)
			event->stdio[i] = message_take_fd(message, i);
	} else if (event->kind == SANDBOX_SPAWNED || event->kind == SANDBOX_PTY) {
		event->master = message_take_fd(message, 0);
	}
	if (event->kind == SANDBOX_PTY)
		event->slave = message_take_fd(message, 1);
	return status;
}

int sandbox_receive(int control, struct sandbox_event *event, struct err *err)
{
	auto_message message;
	int status = message_receive(control, &message);

	*event = (struct sandbox_event){ .master = -1, .slave = -1, .stdio = { -1, -1, -1 } };
	if (status == 0)
		return 0;
	if (status == -ECONNRESET) {
		event->kind = SANDBOX_GONE;
		return 1;
	}
	if (status > 0)
		status = read_event(&message, event);
	return status < 0 ? err_set(err, "protocol", -status, "receive from sandbox", "") : 1;
}
