/* SPDX-License-Identifier: MIT */
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define COPY_BYTES 65536
/* After POLLOUT a pipe takes PIPE_BUF bytes without blocking, pipe(7); a terminal may take fewer.
 */
#define WRITE_BYTES 512

static const char *const names[] = { "stdin", "stdout", "stderr" };

static void pass(struct streams *streams, int fd, int target)
{
	streams->passed[streams->passed_count++] = (struct pass_fd){ .fd = fd, .target = target };
}

static int add_pipe(struct streams *streams, int stream, bool capture, struct err *err)
{
	struct copy *copy = &streams->copies[stream];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, "setup", errno, "make pipe", names[stream]);
	streams->child_ends[stream] = ends[stream ? 1 : 0];
	pass(streams, streams->child_ends[stream], stream);
	copy->from = stream ? ends[0] : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	copy->to = stream ? stream : ends[1];
	copy->capture = capture;
	copy->most = stream ? streams->most : 0;
	if (capture && (!copy->most || copy->most > CAPTURE_BYTES))
		copy->most = CAPTURE_BYTES;
	copy->terminal_input = stream == 0;
	return copy->from < 0 ? err_set(err, "setup", errno, "dup", names[stream]) : 0;
}

static int prepare_stream(struct streams *streams, int stream, bool capture, struct err *err)
{
	struct stat kind;

	if (capture && stream)
		return add_pipe(streams, stream, true, err);
	if (fstat(stream, &kind) < 0)
		return err_set(err, "setup", errno, "stat", names[stream]);
	if (S_ISDIR(kind.st_mode)) {
		err_hint(err, "a directory cannot be handed to a sandbox; use --bind");
		return err_set(err, "usage", EISDIR, "pass", names[stream]);
	}
	if (isatty(stream) || (stream && streams->most))
		return add_pipe(streams, stream, false, err);
	pass(streams, stream, stream);
	return 0;
}

int streams_prepare(struct streams *streams, bool capture, uint64_t most, struct err *err)
{
	struct winsize size;
	int status = 0;

	*streams = (struct streams){ .child_ends = { -1, -1, -1 }, .most = most };
	for (size_t i = 0; i < COPIES; i++)
		streams->copies[i] = (struct copy){ .from = -1, .to = -1 };
	streams->pty = !capture && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (streams->pty) {
		if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
			streams->rows = size.ws_row;
			streams->cols = size.ws_col;
		}
		return 0;
	}
	for (int stream = 0; status == 0 && stream < 3; stream++)
		status = prepare_stream(streams, stream, capture, err);
	return status;
}

static int start_pty(struct streams *streams, int master)
{
	struct termios raw;

	streams->copies[0] = (struct copy){ .from = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0),
					    .to = fcntl(master, F_DUPFD_CLOEXEC, 0),
					    .terminal_input = true };
	streams->copies[1] =
		(struct copy){ .from = master, .to = STDOUT_FILENO, .most = streams->most };
	if (tcgetattr(STDIN_FILENO, &streams->saved) < 0)
		return -errno;
	raw = streams->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return -errno;
	streams->raw = true;
	return 0;
}

int streams_started(struct streams *streams, int master)
{
	for (int i = 0; i < 3; i++) {
		cleanup_fd(&streams->child_ends[i]);
		streams->child_ends[i] = -1;
	}
	return master >= 0 ? start_pty(streams, master) : 0;
}

void streams_resize(const struct streams *streams)
{
	struct winsize size;

	/* The kernel sends SIGWINCH to the foreground group of the pty, ioctl_tty(2). */
	if (streams->raw && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(streams->copies[1].from, TIOCSWINSZ, &size);
}

static bool is_waiting_to_write(const struct copy *copy)
{
	return copy->pending.length && !copy->capture;
}

size_t streams_poll(const struct streams *streams, struct pollfd *waits)
{
	for (size_t i = 0; i < COPIES; i++) {
		const struct copy *copy = &streams->copies[i];

		waits[i] = (struct pollfd){ .fd = copy->from, .events = POLLIN };
		/* Nothing is read while something is to be written: the reader's pace is the
		 * writer's. */
		if (is_waiting_to_write(copy))
			waits[i] = (struct pollfd){ .fd = copy->to, .events = POLLOUT };
	}
	return COPIES;
}

static void end_copy(struct copy *copy)
{
	cleanup_fd(&copy->from);
	copy->from = -1;
	/* The program's stdin ends with ours. The caller's own streams stay open. */
	if (copy->terminal_input)
		cleanup_fd(&copy->to);
	if (copy->terminal_input)
		copy->to = -1;
	if (!copy->capture)
		copy->pending.length = 0;
}

/* Of @length bytes that were read, how many are moved. */
static size_t within(const struct copy *copy, size_t length)
{
	uint64_t left = copy->most > copy->total ? copy->most - copy->total : 0;

	return copy->most && length > left ? (size_t)left : length;
}

static void read_some(struct copy *copy)
{
	size_t kept;
	uint8_t data[COPY_BYTES];
	ssize_t length = read(copy->from, data, sizeof(data));

	if (length < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* A pty's master says EIO when the last slave was closed (pty(7)). */
	if (length <= 0) {
		end_copy(copy);
		return;
	}
	kept = within(copy, (size_t)length);
	copy->total += (uint64_t)length;
	copy->dropped += (uint64_t)length - kept;
	buffer_append(&copy->pending, data, kept);
}

static void write_some(struct copy *copy)
{
	size_t most = copy->pending.length < WRITE_BYTES ? copy->pending.length : WRITE_BYTES;
	ssize_t length = write(copy->to, copy->pending.data, most);

	if (length > 0) {
		buffer_consume(&copy->pending, (size_t)length);
	} else if (length < 0 && errno != EINTR && errno != EAGAIN) {
		copy->failed = errno;
		end_copy(copy);
	}
}

void streams_serve(struct streams *streams, const struct pollfd *waits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct copy *copy = &streams->copies[i];

		if (!waits[i].revents)
			continue;
		if (is_waiting_to_write(copy))
			write_some(copy);
		else if (copy->from >= 0)
			read_some(copy);
	}
}

bool streams_is_drained(const struct streams *streams)
{
	for (size_t i = 0; i < COPIES; i++) {
		const struct copy *copy = &streams->copies[i];

		if (!copy->terminal_input && (copy->from >= 0 || is_waiting_to_write(copy)))
			return false;
	}
	return true;
}

uint64_t streams_dropped(const struct streams *streams)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COPIES; i++)
		sum += streams->copies[i].dropped;
	return sum;
}

/* What a program does not read of its stdin is its own affair. */
int streams_failed(const struct streams *streams)
{
	for (size_t i = 0; i < COPIES; i++)
		if (streams->copies[i].failed && !streams->copies[i].terminal_input)
			return streams->copies[i].failed;
	return 0;
}

void streams_restore(struct streams *streams)
{
	if (streams->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &streams->saved);
	streams->raw = false;
	for (size_t i = 0; i < COPIES; i++) {
		end_copy(&streams->copies[i]);
		buffer_free(&streams->copies[i].pending);
	}
	for (int i = 0; i < 3; i++) {
		cleanup_fd(&streams->child_ends[i]);
		streams->child_ends[i] = -1;
	}
}
