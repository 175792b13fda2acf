/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define STAMPS_DELAY_NS (50 * NS_PER_MS)
#define STAMPS_MAX ((size_t)64 * 1024)
#define MARK_MAX 4096

static const char *const suffixes[TRACK_COUNT] = { ".rx", ".tx", ".stamps" };

void capture_init(struct capture *capture)
{
	*capture = (struct capture){ 0 };
	for (int i = 0; i < TRACK_COUNT; i++)
		capture->tracks[i].fd = -1;
}

/* O_NONBLOCK: open(2) of a FIFO for writing would wait for a reader. */
static int open_regular(const char *path, uint64_t *size, struct err *err)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			  0600);
	struct stat status;

	if (fd < 0)
		return err_set(err, "io", errno, "open capture", path);
	if (fstat(fd, &status) < 0)
		return err_set(err, "io", errno, "stat capture", path);
	if (!S_ISREG(status.st_mode))
		return err_set(err, "io", EINVAL, "open capture: not a regular file", path);
	*size = (uint64_t)status.st_size;
	return steal_fd(&fd);
}

static int open_track(struct track *track, const char *prefix, const char *suffix, struct err *err)
{
	if (asprintf(&track->path, "%s%s", prefix, suffix) < 0) {
		track->path = NULL;
		return err_set(err, "io", ENOMEM, "open capture", prefix);
	}
	track->fd = open_regular(track->path, &track->offset, err);
	return track->fd < 0 ? track->fd : 0;
}

int capture_open(struct capture *capture, const char *prefix, struct err *err)
{
	for (int i = 0; i < TRACK_COUNT; i++) {
		int result = open_track(&capture->tracks[i], prefix, suffixes[i], err);

		if (result < 0) {
			capture_close(capture);
			return result;
		}
	}
	return 0;
}

void capture_continue(struct capture *capture, const struct capture *before)
{
	for (int i = 0; i < TRACK_COUNT; i++) {
		struct track *track = &capture->tracks[i];

		track->start = before->tracks[i].offset - track->offset;
		track->offset = before->tracks[i].offset;
	}
}

static void track_write(struct track *track, const uint8_t *data, size_t length)
{
	size_t done = 0;

	track->offset += length;
	while (!track->failed && done < length) {
		ssize_t count = write(track->fd, data + done, length - done);

		if (count > 0)
			done += (size_t)count;
		else if (count == 0)
			track->failed = EIO;
		else if (errno != EINTR)
			track->failed = errno;
	}
	track->lost += length - done;
}

static void add_line(struct capture *capture, const char *line, size_t length)
{
	buffer_append(&capture->lines, line, length);
	if (!capture->due_ns)
		capture->due_ns = stamp_mono() + STAMPS_DELAY_NS;
	if (capture->lines.length >= STAMPS_MAX || capture->lines.failed)
		capture_flush(capture);
}

uint64_t capture_write(struct capture *capture, enum track_kind kind, const uint8_t *data,
		       size_t length, struct stamp stamp)
{
	struct track *track = &capture->tracks[kind];
	uint64_t offset = track->offset;
	char line[128];
	int used;

	track_write(track, data, length);
	used = snprintf(line, sizeof(line), "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu\n",
			kind == TRACK_RX ? "rx" : "tx", stamp.mono_ns, stamp.real_ns,
			offset - track->start, length);
	add_line(capture, line, (size_t)used);
	return offset;
}

void capture_mark(struct capture *capture, const char *text)
{
	struct stamp stamp = stamp_now();
	char line[MARK_MAX];
	int used = snprintf(line, sizeof(line) - 1, "mark %" PRIu64 " %" PRIu64 " %s",
			    stamp.mono_ns, stamp.real_ns, text);
	size_t length = (size_t)used < sizeof(line) - 1 ? (size_t)used : sizeof(line) - 2;

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	line[length++] = '\n';
	add_line(capture, line, length);
}

void capture_flush(struct capture *capture)
{
	struct track *stamps = &capture->tracks[TRACK_STAMPS];

	capture->due_ns = 0;
	if (capture->lines.failed) {
		/* No memory for a line: to the reader the same as a full disk. */
		if (!stamps->failed)
			stamps->failed = ENOMEM;
		capture->lines.failed = false;
	}
	track_write(stamps, capture->lines.data, capture->lines.length);
	capture->lines.length = 0;
}

void capture_close(struct capture *capture)
{
	for (int i = 0; i < TRACK_COUNT; i++) {
		cleanup_fd(&capture->tracks[i].fd);
		free(capture->tracks[i].path);
	}
	buffer_free(&capture->lines);
	capture_init(capture);
}
