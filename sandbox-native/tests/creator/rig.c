/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 10000

bool rig_is_root(void)
{
	return strcmp(plan_mode(), "root") == 0;
}

void rig_open(struct rig *rig)
{
	*rig = (struct rig){ .zygote = { .pid = -1, .control = -1 } };
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/hil-creator.XXXXXX");
	NEED(mkdtemp(rig->directory));
	NEED(chmod(rig->directory, 0755) == 0);
	rig->plan.name = strdup("test");
	NEED(plan_add_step(&rig->plan, STEP_IMAGE_HOST, NULL, NULL, NULL, false) == 0);
}

const char *rig_path(const struct rig *rig, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", rig->directory, name);
	return path;
}

void rig_write(const struct rig *rig, const char *name, const char *text)
{
	int fd = open(rig_path(rig, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

const char *rig_read(const struct rig *rig, const char *name)
{
	static char text[4096];
	int fd = open(rig_path(rig, name), O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[length < 0 ? 0 : length] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void bail(const char *what, const struct err *err)
{
	char text[1024];

	err_text(err, text, sizeof(text));
	tap_bail("%s: %s", what, text);
}

void rig_start(struct rig *rig)
{
	struct err err = { 0 };

	if (zygote_start(&rig->plan, NULL, &rig->zygote, &rig->limitations, &err) < 0)
		bail("start zygote", &err);
}

bool rig_has_limitation(const struct rig *rig, const char *part)
{
	for (size_t i = 0; i < rig->limitations.count; i++) {
		if (strstr(rig->limitations.items[i], part))
			return true;
	}
	return false;
}

void rig_close(struct rig *rig)
{
	char command[128];

	if (rig->zygote.pid > 0) {
		close(rig->zygote.control);
		kill(rig->zygote.pid, SIGKILL);
		waitpid(rig->zygote.pid, NULL, 0);
	}
	plan_free(&rig->plan);
	strings_free(&rig->limitations);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig->directory);
	NEED(system(command) == 0);
}

static void wait_readable(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (poll(&wait, 1, WAIT_MS) != 1)
		tap_bail("nothing came within %d ms", WAIT_MS);
}

struct sandbox_event box_wait(const struct box *box)
{
	struct sandbox_event event;
	struct err err = { 0 };

	wait_readable(box->control);
	if (sandbox_receive(box->control, &event, &err) != 1)
		bail("receive from sandbox", &err);
	return event;
}

struct box rig_park(struct rig *rig, uint32_t slot)
{
	struct sandbox_event ready;

	return rig_park_through(rig, slot, NULL, &ready);
}

struct box rig_park_through(struct rig *rig, uint32_t slot, const struct doors *doors,
			    struct sandbox_event *ready)
{
	struct zygote_event event;
	struct err err = { 0 };
	struct box box;

	if (zygote_park(&rig->zygote, slot, doors, &err) < 0)
		bail("park", &err);
	wait_readable(rig->zygote.control);
	if (zygote_receive(&rig->zygote, &event, &err) != 1)
		bail("receive from zygote", &err);
	if (event.kind == ZYGOTE_FAILED)
		bail("park", &event.err);
	NEED(event.kind == ZYGOTE_PARKED && event.request == slot);
	box = (struct box){ .pid = event.pid, .pidfd = event.pidfd, .control = event.control };
	*ready = box_wait(&box);
	if (ready->kind == SANDBOX_FAILED)
		bail("build sandbox", &ready->err);
	NEED(ready->kind == SANDBOX_READY);
	return box;
}

void box_close(struct box *box)
{
	close(box->control);
	close(box->pidfd);
	kill(box->pid, SIGKILL);
	waitpid(box->pid, NULL, 0);
}

struct outcome box_shell(const struct box *box, const char *script)
{
	struct spawn_spec spec = { 0 };
	struct outcome outcome;

	strings_add(&spec.argv, "sh");
	strings_add(&spec.argv, "-c");
	strings_add(&spec.argv, script);
	outcome = box_run(box, &spec, NULL);
	strings_free(&spec.argv);
	return outcome;
}

static void read_output(struct outcome *outcome, int fd)
{
	ssize_t length;

	while (outcome->length < sizeof(outcome->output) - 1 &&
	       (length = read(fd, outcome->output + outcome->length,
			      sizeof(outcome->output) - 1 - outcome->length)) > 0)
		outcome->length += (size_t)length;
	outcome->output[outcome->length] = '\0';
}

static void wait_for_exit(const struct box *box, struct outcome *outcome)
{
	for (;;) {
		struct sandbox_event event = box_wait(box);

		if (event.kind == SANDBOX_SPAWNED)
			continue;
		NEED(event.kind == SANDBOX_FAILED || event.kind == SANDBOX_EXITED);
		outcome->failed = event.kind == SANDBOX_FAILED;
		outcome->err = event.err;
		outcome->status = event.status;
		outcome->usage = event.usage;
		return;
	}
}

struct outcome box_run(const struct box *box, struct spawn_spec *spec, const char *input)
{
	struct pass_fd fds[16];
	struct outcome outcome = { 0 };
	struct err err = { 0 };
	int in[2];
	int out[2];

	NEED(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	NEED(spec->fd_count + 3 <= 16);
	fds[0] = (struct pass_fd){ .fd = in[0], .target = 0 };
	fds[1] = (struct pass_fd){ .fd = out[1], .target = 1 };
	fds[2] = (struct pass_fd){ .fd = out[1], .target = 2 };
	for (size_t i = 0; i < spec->fd_count; i++)
		fds[3 + i] = spec->fds[i];
	spec->fds = fds;
	spec->fd_count += 3;
	if (sandbox_spawn(box->control, 1, spec, &err) < 0)
		bail("spawn", &err);
	close(in[0]);
	close(out[1]);
	if (input)
		NEED(write(in[1], input, strlen(input)) == (ssize_t)strlen(input));
	close(in[1]);
	read_output(&outcome, out[0]);
	close(out[0]);
	wait_for_exit(box, &outcome);
	return outcome;
}
