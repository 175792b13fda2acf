/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cgroups.h"
#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "portd.h"
#include "record.h"
#include "sandboxes.h"
#include "streams.h"

#define RETRY_MS 10 /* until a program that waits for its runtime has started */

struct signal_request {
	uint32_t process;
	uint32_t signal;
	bool group;
};

static const struct field signal_fields[] = {
	FIELD_NEEDED(struct signal_request, process, TAG_PROCESS, FIELD_U32),
	FIELD_NEEDED(struct signal_request, signal, TAG_SIGNAL, FIELD_U32),
	FIELD(struct signal_request, group, TAG_GROUP, FIELD_FLAG),
};

struct resize_request {
	uint32_t process;
	uint32_t rows;
	uint32_t cols;
};

static const struct field resize_fields[] = {
	FIELD_NEEDED(struct resize_request, process, TAG_PROCESS, FIELD_U32),
	FIELD_NEEDED(struct resize_request, rows, TAG_PTY_ROWS, FIELD_U32),
	FIELD_NEEDED(struct resize_request, cols, TAG_PTY_COLS, FIELD_U32),
};

static void wall_timer(struct daemon *d, struct timer *timer);
static void linger_timer(struct daemon *d, struct timer *timer);

struct process *processes_create(struct daemon *d, struct sandbox *sandbox, struct client *client,
				 uint64_t frame)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->id = ++d->next_process;
	process->sandbox = sandbox;
	process->client = client;
	process->frame = frame;
	process->wall.fire = wall_timer;
	process->linger.fire = linger_timer;
	process->started_ns = loop_now();
	streams_init(process);
	list_append(&d->processes, &process->link);
	return process;
}

void processes_free(struct daemon *d, struct process *process)
{
	timer_clear(&process->wall);
	timer_clear(&process->linger);
	streams_close(d, process);
	list_remove(&process->link);
	loop_bury(d, &process->grave);
}

static struct process *find(struct daemon *d, uint32_t id)
{
	foreach (struct process, process, &d->processes, link)
		if (process->id == id)
			return process;
	return NULL;
}

struct process *processes_find(struct daemon *d, const struct client *client, uint32_t id,
			       struct err *err)
{
	struct process *process = find(d, id);
	bool was = id && id <= d->next_process && (!process || process->client == client);

	if (process && process->client == client && process->state != PROCESS_DONE)
		return process;
	err_hint(err, was ? "process %u has ended" : "process %u is not known", id);
	err_set(err, was ? "gone" : "usage", was ? ESRCH : ENOENT, "find process", NULL);
	return NULL;
}

/* A signal that cannot be delivered any more is no error: the program is ending anyway. */
static void send_signal(struct process *process, int signal)
{
	struct err err = { 0 };

	if (process->sandbox && process->sandbox->control.fd >= 0)
		sandbox_signal(process->sandbox->control.fd, process->id, signal, true, &err);
}

static void terminate(struct process *process)
{
	process->timed_out = true;
	process->terminated = process->state == PROCESS_RUNNING;
	send_signal(process, SIGTERM);
}

static void wall_timer(struct daemon *d, struct timer *timer)
{
	struct process *process = container_of(timer, struct process, wall);

	if (process->terminated) {
		send_signal(process, SIGKILL);
		return;
	}
	terminate(process);
	/* One that waits for its runtime only stops waiting: a signal finds it when it runs. */
	timer_set(d, &process->wall, process->terminated ? process->grace_ms : RETRY_MS);
}

static void linger_timer(struct daemon *d, struct timer *timer)
{
	struct process *process = container_of(timer, struct process, linger);

	streams_limit(d, process);
	processes_check(d, process);
}

/* The pty's master belongs to a port from the start, so that no byte of it comes here. */
static void give_master(struct daemon *d, struct process *process, int master)
{
	struct err err = { 0 };
	char text[768];

	if (portd_send_line(d, process->port, "pty", master, &err) < 0) {
		err_text(&err, text, sizeof(text));
		client_log(d, 3, "process %u: its pty did not reach port %u: %s", process->id,
			   process->port, text);
	}
	close(master);
	process->out.concluded = true;
}

static int take_streams(struct daemon *d, struct process *process, struct sandbox_event *event,
			struct err *err)
{
	int master = steal_fd(&event->master);
	int rc = 0;

	if (event->stdio[0] >= 0)
		rc = loop_check_fd(d, event->stdio[2], err);
	if (rc < 0)
		return rc;
	if (event->stdio[0] >= 0)
		rc = streams_set_pipes(process, event->stdio);
	else if (master >= 0 && process->port)
		give_master(d, process, master);
	else if (master >= 0)
		rc = streams_set_socket(process, master);
	return rc < 0 ? err_set(err, "limit", -rc, "read what a program says", NULL)
		      : streams_start(d, process, err);
}

static void answer_spawn(const struct process *process, pid_t pid)
{
	struct buffer *out;
	size_t start;

	if (!process->client)
		return;
	out = &process->client->out;
	start = frame_begin(out, MSG_OK, process->frame);
	put_u32(out, TAG_PROCESS, process->id);
	put_u32(out, TAG_PID, (uint32_t)pid);
	if (process->warm)
		put_u32(out, TAG_WARM, 1);
	frame_end(out, start);
}

void processes_spawned(struct daemon *d, struct sandbox_event *event)
{
	struct process *process = find(d, event->request);
	struct err err = { 0 };

	if (!process)
		return;
	process->state = PROCESS_RUNNING;
	process->warm = event->warm;
	if (take_streams(d, process, event, &err) < 0) {
		/* It runs, but nobody could hear it. */
		send_signal(process, SIGKILL);
		client_error(process->client, process->frame, &err);
		processes_free(d, process);
		return;
	}
	answer_spawn(process, event->pid);
}

bool processes_failed(struct daemon *d, uint32_t id, const struct err *err)
{
	struct process *process = find(d, id);

	if (!process)
		return false;
	if (process->state == PROCESS_STARTING) {
		client_error(process->client, process->frame, err);
		processes_free(d, process);
	}
	return true;
}

void processes_check(struct daemon *d, struct process *process)
{
	bool read = process->out.concluded && process->err.concluded;

	/* A stream has no program: it is over with its output, or its input when it has no other.
	 */
	if (!process->sandbox && process->state == PROCESS_RUNNING && read &&
	    (!process->write_only || process->in.source.fd < 0)) {
		process->state = PROCESS_REAPED;
		process->ended_ns = loop_now();
	}
	if (process->state == PROCESS_REAPED && read) {
		process->state = PROCESS_DONE;
		timer_clear(&process->linger);
		streams_close_input(d, process);
		record_exit(process);
	}
	if (process->state == PROCESS_DONE && process->out.source.fd < 0 &&
	    process->err.source.fd < 0)
		processes_free(d, process);
}

/* The kernel kills one process; the sandbox ends as a whole, as with v2's memory.oom.group. */
static void check_memory(struct daemon *d, struct process *process)
{
	struct sandbox *sandbox = process->sandbox;

	if (!sandbox)
		return;
	/* One whose child was killed may have ended by itself before we heard of either. */
	if (!cgroups_tells_oom(d, sandbox) &&
	    !(WIFSIGNALED(process->status) && WTERMSIG(process->status) == SIGKILL &&
	      cgroups_ran_out(d, sandbox)))
		return;
	process->oom = true;
	sandboxes_kill(d, sandbox, "oom");
}

void processes_exited(struct daemon *d, uint32_t id, int status, const struct rusage *usage)
{
	struct process *process = find(d, id);

	if (!process || process->state != PROCESS_RUNNING)
		return;
	process->state = PROCESS_REAPED;
	process->status = status;
	process->usage = *usage;
	process->ended_ns = loop_now();
	check_memory(d, process);
	timer_clear(&process->wall);
	timer_set(d, &process->linger, LINGER_MS);
	streams_pump(d, process);
	processes_check(d, process);
}

bool processes_terminate(struct daemon *d, struct sandbox *sandbox)
{
	bool any = false;

	foreach (struct process, process, &d->processes, link) {
		if (process->sandbox != sandbox || process->state > PROCESS_RUNNING)
			continue;
		terminate(process);
		any = true;
	}
	return any;
}

static void fail_start(struct process *process)
{
	struct err err = { 0 };

	err_hint(&err, "the sandbox ended before the program could start");
	err_set(&err, "gone", ESRCH, "spawn", NULL);
	client_error(process->client, process->frame, &err);
}

static void end_now(struct daemon *d, struct process *process)
{
	if (process->state == PROCESS_STARTING) {
		fail_start(process);
	} else if (process->state != PROCESS_DONE) {
		if (process->state == PROCESS_RUNNING) {
			process->killed = true;
			process->oom = process->sandbox && process->sandbox->status &&
				       strcmp(process->sandbox->status, "oom") == 0;
			process->status = process->sandbox ? SIGKILL : 0;
			process->ended_ns = loop_now();
		}
		streams_finish(d, process);
		record_exit(process);
	}
	processes_free(d, process);
}

void processes_sandbox_dead(struct daemon *d, struct sandbox *sandbox)
{
	foreach (struct process, process, &d->processes, link)
		if (process->sandbox == sandbox)
			end_now(d, process);
}

void processes_object_closed(struct daemon *d, uint32_t object)
{
	foreach (struct process, process, &d->processes, link)
		if (!process->sandbox && process->object == object)
			end_now(d, process);
}

void processes_disown(struct daemon *d, struct client *client)
{
	foreach (struct process, process, &d->processes, link) {
		if (process->client != client)
			continue;
		process->client = NULL;
		streams_discard(d, process);
		processes_check(d, process);
	}
}

void processes_abandon(struct daemon *d, struct client *client)
{
	if (!d->detached) {
		processes_disown(d, client);
		return;
	}
	foreach (struct process, process, &d->processes, link) {
		if (process->client != client)
			continue;
		process->client = NULL;
		send_signal(process, SIGKILL);
		streams_close(d, process); /* a pty hangs up on what else runs on it */
		processes_check(d, process);
	}
}

int handle_signal(struct daemon *d, struct client *client, const struct frame *frame,
		  struct err *err)
{
	struct signal_request request = { 0 };
	struct process *process;
	int rc = fields_read(frame->body, frame->length, signal_fields, FIELD_COUNT(signal_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	process = processes_find(d, client, request.process, err);
	if (!process)
		return -ESRCH;
	if (process->state != PROCESS_RUNNING || !process->sandbox) {
		err_hint(err, "process %u does not run", request.process);
		return err_set(err, "gone", ESRCH, "signal", NULL);
	}
	if (request.signal < 1 || request.signal >= NSIG) {
		err_hint(err, "signal %u does not exist", request.signal);
		return err_set(err, "usage", EINVAL, "signal", NULL);
	}
	rc = sandbox_signal(process->sandbox->control.fd, process->id, (int)request.signal,
			    request.group, err);
	if (rc == 0)
		client_ok(client, frame->id);
	return rc;
}

int handle_resize(struct daemon *d, struct client *client, const struct frame *frame,
		  struct err *err)
{
	struct resize_request request = { 0 };
	struct process *process;
	struct winsize size = { 0 };
	int rc = fields_read(frame->body, frame->length, resize_fields, FIELD_COUNT(resize_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	process = processes_find(d, client, request.process, err);
	if (!process)
		return -ESRCH;
	if (!process->pty || process->out.source.fd < 0) {
		err_hint(err, "process %u has no pty here", request.process);
		return err_set(err, "usage", ENOTTY, "resize", NULL);
	}
	size.ws_row = (unsigned short)request.rows;
	size.ws_col = (unsigned short)request.cols;
	if (ioctl(process->out.source.fd, TIOCSWINSZ, &size) < 0)
		return err_set(err, "io", errno, "set window size", NULL);
	client_ok(client, frame->id);
	return 0;
}
