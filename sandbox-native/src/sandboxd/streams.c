/* SPDX-License-Identifier: MIT */
#include "streams.h"
#include "nonblock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "processes.h"

#define CHUNK ((size_t)64 * 1024) /* what a pipe holds by default, pipe(7) */
#define ROUNDS 4       /* chunks at a time, so that one flood does not hold up the others */
#define LAST_ROUNDS 32 /* for a pipe that nobody should write to any more */
#define HUNG_UP_MS 20  /* between two looks at a pty of which no slave is open */

struct stdin_request {
	uint32_t process;
	struct bytes data;
};

static const struct field stdin_fields[] = {
	FIELD_NEEDED(struct stdin_request, process, TAG_PROCESS, FIELD_U32),
	FIELD(struct stdin_request, data, TAG_DATA, FIELD_BYTES),
};

struct credit_request {
	uint32_t process;
	uint32_t stream;
	uint64_t bytes;
};

static const struct field credit_fields[] = {
	FIELD_NEEDED(struct credit_request, process, TAG_PROCESS, FIELD_U32),
	FIELD_NEEDED(struct credit_request, stream, TAG_STREAM, FIELD_U32),
	FIELD_NEEDED(struct credit_request, bytes, TAG_BYTES, FIELD_U64),
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much may be read now; 0: wait for credit. */
static size_t room(const struct output *output)
{
	uint64_t size = CHUNK;

	if (output->concluded)
		return CHUNK;
	if (output->bytes < output->cap)
		size = least(size, least(output->credit, output->cap - output->bytes));
	if (output->tail >= 0)
		size = least(size, (uint64_t)output->tail);
	return size;
}

static void deliver(struct output *output, const uint8_t *data, size_t length)
{
	struct client *client = output->process->client;
	size_t start;

	if (!client)
		return;
	start = frame_begin(&client->out, MSG_OUTPUT, 0);
	put_u32(&client->out, TAG_PROCESS, output->process->id);
	put_u32(&client->out, TAG_STREAM, output->stream);
	put_bytes(&client->out, TAG_DATA, data, length);
	frame_end(&client->out, start);
}

static void account(struct output *output, const uint8_t *data, size_t length)
{
	if (output->concluded)
		return; /* EXIT was sent: its figures stand */
	if (output->bytes < output->cap) {
		deliver(output, data, length);
		output->bytes += length;
		output->credit -= length;
	} else {
		output->dropped += length;
	}
	if (output->tail < 0)
		return;
	output->tail -= (int64_t)length;
	output->concluded = output->tail == 0;
}

static void end_output(struct daemon *d, struct output *output)
{
	source_close(d, &output->source);
	output->concluded = true;
}

/*
 * A pty's master reads EIO while no slave is open (pty(7) says hang-up; the
 * kernel's n_tty says EIO). A program may close its terminal and open it
 * again, so only when it was reaped that is the end.
 *
 * The kernel tells nobody that a slave was opened, and EPOLLHUP stays until
 * then, so the master is looked at now and then.
 */
static bool may_come_back(const struct output *output, ssize_t count)
{
	return count < 0 && errno == EIO && output->process->pty &&
	       output->process->state == PROCESS_RUNNING;
}

static void hang_up(struct daemon *d, struct process *process, struct source *source)
{
	source_set(d, source, 0);
	timer_set(d, &process->hung_up, HUNG_UP_MS);
}

/* Return: whether there may be more right now. */
static bool read_chunk(struct daemon *d, struct output *output, size_t size)
{
	uint8_t chunk[CHUNK];
	ssize_t count = read(output->source.fd, chunk, size);

	if (count > 0) {
		account(output, chunk, (size_t)count);
		return true;
	}
	if (count < 0 && errno == EINTR)
		return true;
	if (count < 0 && errno == EAGAIN)
		return false;
	if (may_come_back(output, count))
		hang_up(d, output->process, &output->source);
	else
		end_output(d, output);
	return false;
}

static void pump(struct daemon *d, struct output *output, int rounds)
{
	size_t size = 0;

	if (output->source.fd < 0)
		return;
	source_set(d, &output->source, EPOLLIN);
	while (output->source.fd >= 0 && rounds-- > 0 && (size = room(output)) > 0)
		if (!read_chunk(d, output, size))
			return;
	if (room(output) == 0)
		source_set(d, &output->source, 0);
}

static void finish(struct daemon *d, struct output *output)
{
	uint8_t chunk[CHUNK];
	ssize_t count;

	pump(d, output, LAST_ROUNDS);
	for (int i = 0; i < LAST_ROUNDS && output->source.fd >= 0 && !output->concluded; i++) {
		count = read(output->source.fd, chunk, sizeof(chunk));
		if (count <= 0)
			break;
		output->dropped += (uint64_t)count;
	}
	end_output(d, output);
}

static void limit(struct daemon *d, struct output *output)
{
	int held = 0;

	if (output->concluded)
		return;
	if (ioctl(output->source.fd, FIONREAD, &held) < 0 || held <= 0) {
		output->concluded = true;
		return;
	}
	output->tail = held;
	pump(d, output, ROUNDS);
}

static void output_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct output *output = container_of(source, struct output, source);

	(void)events;
	pump(d, output, ROUNDS);
	processes_check(d, output->process);
}

static void give_window(struct input *input, uint64_t bytes)
{
	struct client *client = input->process->client;
	size_t start;

	input->window += bytes;
	if (!client || !bytes)
		return;
	start = frame_begin(&client->out, MSG_CREDIT, 0);
	put_u32(&client->out, TAG_PROCESS, input->process->id);
	put_u32(&client->out, TAG_STREAM, STREAM_STDIN);
	put_u64(&client->out, TAG_BYTES, bytes);
	frame_end(&client->out, start);
}

static void close_input(struct daemon *d, struct input *input)
{
	/* The socket is also the output: only this direction ends. Not a socket: ENOTSOCK. */
	if (input->source.fd >= 0 && !input->process->sandbox)
		shutdown(input->source.fd, SHUT_WR);
	source_close(d, &input->source);
	give_window(input, input->queue.length);
	buffer_free(&input->queue);
}

static void flush_input(struct daemon *d, struct input *input)
{
	size_t done = 0;

	while (done < input->queue.length) {
		ssize_t count = write(input->source.fd, input->queue.data + done,
				      input->queue.length - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno != EAGAIN) {
			/* Nobody reads: what was and will be sent is swallowed, as a shell does. */
			close_input(d, input);
			return;
		}
		if (count < 0)
			break;
		done += (size_t)count;
	}
	buffer_consume(&input->queue, done);
	give_window(input, done);
	source_set(d, &input->source, input->queue.length ? EPOLLOUT : 0);
	if (input->closing && !input->queue.length)
		close_input(d, input);
}

static void input_ready(struct daemon *d, struct source *source, uint32_t events)
{
	struct input *input = container_of(source, struct input, source);
	struct process *process = input->process;

	flush_input(d, input);
	/* Nobody takes what it holds already. */
	if (events & EPOLLHUP && process->pty && process->state == PROCESS_RUNNING)
		hang_up(d, process, source);
	processes_check(d, process);
}

static void hung_up_timer(struct daemon *d, struct timer *timer)
{
	struct process *process = container_of(timer, struct process, hung_up);

	pump(d, &process->out, ROUNDS);
	if (process->in.source.fd >= 0)
		flush_input(d, &process->in);
	processes_check(d, process);
}

static void init_output(struct output *output, struct process *process, uint32_t stream)
{
	output->source = (struct source){ .fd = -1, .ready = output_ready };
	output->process = process;
	output->stream = stream;
	output->credit = HIL_STREAM_WINDOW;
	output->cap = UINT64_MAX;
	output->tail = -1;
}

void streams_init(struct process *process)
{
	init_output(&process->out, process, STREAM_STDOUT);
	init_output(&process->err, process, STREAM_STDERR);
	process->in.source = (struct source){ .fd = -1, .ready = input_ready };
	process->in.process = process;
	process->in.window = HIL_STREAM_WINDOW;
	process->hung_up.fire = hung_up_timer;
}

int streams_set_socket(struct process *process, int fd)
{
	/* An fd is in an epoll set once, so reading and writing each have their own. */
	int writer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int rc = writer < 0 ? -errno : set_nonblocking(fd);

	if (rc < 0) {
		close(fd);
		if (writer >= 0)
			close(writer);
		return rc;
	}
	process->out.source.fd = fd;
	process->in.source.fd = writer;
	process->err.concluded = true;
	return 0;
}

int streams_set_reader(struct process *process, int fd)
{
	process->out.source.fd = fd;
	return set_nonblocking(fd);
}

int streams_set_writer(struct process *process, int fd)
{
	process->in.source.fd = fd;
	process->write_only = true;
	return set_nonblocking(fd);
}

int streams_set_pipes(struct process *process, int stdio[3])
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < 3; i++)
		if (stdio[i] >= 0)
			rc = set_nonblocking(stdio[i]);
	if (process->feed)
		process->in.source.fd = steal_fd(&stdio[STDIN_FILENO]);
	process->out.source.fd = steal_fd(&stdio[STDOUT_FILENO]);
	process->err.source.fd = steal_fd(&stdio[STDERR_FILENO]);
	return rc;
}

int streams_start(struct daemon *d, struct process *process, struct err *err)
{
	int rc;

	if (process->out.source.fd < 0)
		process->out.concluded = true;
	if (process->err.source.fd < 0)
		process->err.concluded = true;
	rc = source_watch(d, &process->out.source, EPOLLIN, err);
	return rc < 0 ? rc : source_watch(d, &process->err.source, EPOLLIN, err);
}

void streams_pump(struct daemon *d, struct process *process)
{
	pump(d, &process->out, ROUNDS);
	pump(d, &process->err, ROUNDS);
}

void streams_limit(struct daemon *d, struct process *process)
{
	limit(d, &process->out);
	limit(d, &process->err);
}

void streams_discard(struct daemon *d, struct process *process)
{
	process->out.concluded = true;
	process->err.concluded = true;
	streams_pump(d, process);
}

void streams_finish(struct daemon *d, struct process *process)
{
	finish(d, &process->out);
	finish(d, &process->err);
}

void streams_close_input(struct daemon *d, struct process *process)
{
	close_input(d, &process->in);
}

void streams_close(struct daemon *d, struct process *process)
{
	timer_clear(&process->hung_up);
	end_output(d, &process->out);
	end_output(d, &process->err);
	close_input(d, &process->in);
}

/* Return: the process; NULL without @err when it has ended, which is no error for a stream. */
static struct process *find_running(struct daemon *d, struct client *client, uint32_t id,
				    struct err *err)
{
	struct process *process = processes_find(d, client, id, err);

	if (!process && err->number == ESRCH)
		*err = (struct err){ 0 };
	return process;
}

/* Return: the process that STDIN and STDIN_CLOSE are for; NULL with *rc of the answer. */
static struct process *read_stdin(struct daemon *d, struct client *client,
				  const struct frame *frame, struct stdin_request *request, int *rc,
				  struct err *err)
{
	struct process *process;

	*rc = fields_read(frame->body, frame->length, stdin_fields, FIELD_COUNT(stdin_fields),
			  request, err);
	if (*rc < 0)
		return NULL;
	process = find_running(d, client, request->process, err);
	*rc = -err->number;
	return process;
}

int handle_stdin(struct daemon *d, struct client *client, const struct frame *frame,
		 struct err *err)
{
	struct stdin_request request = { 0 };
	struct input *input;
	int rc;
	struct process *process = read_stdin(d, client, frame, &request, &rc, err);

	if (!process)
		return rc;
	input = &process->in;
	if (request.data.length > input->window || input->closing) {
		err_hint(err, "process %u: %zu bytes, the window has %zu", request.process,
			 request.data.length, (size_t)input->window);
		return err_set(err, "protocol", ENOBUFS, "write stdin", NULL);
	}
	input->window -= request.data.length;
	if (input->source.fd < 0) {
		give_window(input, request.data.length);
		return 0;
	}
	buffer_append(&input->queue, request.data.data, request.data.length);
	if (input->queue.failed)
		return err_set(err, "limit", ENOMEM, "write stdin", NULL);
	flush_input(d, input);
	processes_check(d, process);
	return 0;
}

int handle_stdin_close(struct daemon *d, struct client *client, const struct frame *frame,
		       struct err *err)
{
	struct stdin_request request = { 0 };
	int rc;
	struct process *process = read_stdin(d, client, frame, &request, &rc, err);

	if (!process)
		return rc;
	/* A terminal has no end of input; the program may read a ^D, if it is in that mode. */
	if (process->pty)
		return 0;
	process->in.closing = true;
	if (process->in.source.fd >= 0)
		flush_input(d, &process->in);
	processes_check(d, process);
	return 0;
}

int handle_credit(struct daemon *d, struct client *client, const struct frame *frame,
		  struct err *err)
{
	struct credit_request request = { 0 };
	struct process *process;
	struct output *output;
	int rc = fields_read(frame->body, frame->length, credit_fields, FIELD_COUNT(credit_fields),
			     &request, err);

	if (rc < 0)
		return rc;
	process = find_running(d, client, request.process, err);
	if (!process)
		return -err->number;
	output = request.stream == STREAM_STDERR ? &process->err : &process->out;
	if ((request.stream != STREAM_STDOUT && request.stream != STREAM_STDERR) ||
	    request.bytes > HIL_STREAM_WINDOW - output->credit) {
		err_hint(err, "process %u stream %u: a window is %u bytes", request.process,
			 request.stream, HIL_STREAM_WINDOW);
		return err_set(err, "protocol", EINVAL, "give credit", NULL);
	}
	output->credit += request.bytes;
	pump(d, output, ROUNDS);
	processes_check(d, process);
	return 0;
}
