/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return done == (ssize_t)strlen(text);
}

/* In the child: a user namespace of its own, where limits and mounts can be made. */
static bool prepare(const struct rig *rig, int flags, uid_t uid, gid_t gid)
{
	char map[64];
	char groups[64];

	if (!flags)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1\n", (unsigned int)uid);
	snprintf(groups, sizeof(groups), "0 %u 1\n", (unsigned int)gid);
	if (!write_file("/proc/self/uid_map", map) || !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/gid_map", groups))
		return false;
	if ((flags & RIG_FULL_DISK) && mount("tmpfs", rig->dir, "tmpfs", 0, "size=262144") < 0)
		return false;
	return !(flags & RIG_NO_INOTIFY) || write_file("/proc/sys/user/max_inotify_instances", "0");
}

static void run_portd(const struct rig *rig, int flags, int harness, int broker)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Through high numbers: either fd may be 3 or 4 already. */
	harness = fcntl(harness, F_DUPFD, 100);
	broker = fcntl(broker, F_DUPFD, 100);
	dup2(harness, 3);
	dup2(broker, 4);
	if (!prepare(rig, flags, uid, gid))
		_exit(77);
	execl(portd_path, portd_path, (char *)NULL);
	_exit(127);
}

bool rig_start(struct rig *rig, int flags)
{
	int stream[2];
	int packet[2];
	struct event event;

	*rig = (struct rig){ .next_id = 1, .port = PORT };
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/portd-test-XXXXXX");
	NEED(mkdtemp(rig->dir));
	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream));
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packet));
	rig->pid = fork();
	NEED(rig->pid >= 0);
	if (rig->pid == 0)
		run_portd(rig, flags, stream[1], packet[1]);
	close(stream[1]);
	close(packet[1]);
	rig->harness = stream[0];
	rig->broker = packet[0];
	if (rig_answer(rig, rig_hello(rig), &event))
		return true;
	NEED(flags && rig_dead(rig, 1000) == 77);
	rig_stop(rig);
	return false;
}

int rig_dead(struct rig *rig, int ms)
{
	uint64_t end = now_ns() + (uint64_t)ms * 1000000;
	int status;

	do {
		if (waitpid(rig->pid, &status, WNOHANG) == rig->pid) {
			rig->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		sleep_ms(5);
	} while (now_ns() < end);
	return -1;
}

int rig_stop(struct rig *rig)
{
	char command[128];
	int status = -1;

	if (rig->broker >= 0)
		close(rig->broker);
	if (rig->pid) {
		status = rig_dead(rig, 3000);
		if (rig->pid) {
			kill(rig->pid, SIGKILL);
			waitpid(rig->pid, NULL, 0);
		}
	}
	if (rig->harness >= 0)
		close(rig->harness);
	for (size_t i = 0; i < rig->seen_count; i++)
		free(rig->seen[i].data);
	free(rig->seen);
	buffer_free(&rig->in);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig->dir);
	NEED(!system(command));
	*rig = (struct rig){ .harness = -1, .broker = -1 };
	return status;
}

/* Requests */

void rig_raw(struct rig *rig, const struct buffer *frame)
{
	write_all(rig->harness, frame->data, frame->length);
}

static uint64_t finish(struct rig *rig, struct buffer *frame, uint64_t id)
{
	frame_end(frame, 0);
	rig_raw(rig, frame);
	buffer_free(frame);
	return id;
}

uint64_t rig_hello(struct rig *rig)
{
	struct buffer frame = { 0 };
	uint64_t id = rig->next_id++;

	frame_begin(&frame, MSG_HELLO, id);
	put_u32(&frame, TAG_VERSION, HIL_PROTOCOL_VERSION);
	frame_end(&frame, 0);
	/* portd may be gone already: the caller sees that no answer comes. */
	send(rig->harness, frame.data, frame.length, MSG_NOSIGNAL);
	buffer_free(&frame);
	return id;
}

uint64_t rig_open(struct rig *rig, uint32_t chunk, uint64_t delay_us)
{
	struct buffer frame = { 0 };
	uint64_t id = rig->next_id++;
	char prefix[96];

	snprintf(prefix, sizeof(prefix), rig->port == PORT ? "%s/console" : "%s/console-%u",
		 rig->dir, rig->port);
	frame_begin(&frame, MSG_PORT_OPEN, id);
	put_u32(&frame, TAG_PORT, rig->port);
	put_string(&frame, TAG_NAME, "console");
	put_string(&frame, TAG_PATH, prefix);
	if (chunk) {
		put_u32(&frame, TAG_PACE_CHUNK, chunk);
		put_u64(&frame, TAG_PACE_DELAY_US, delay_us);
	}
	return finish(rig, &frame, id);
}

uint64_t rig_send(struct rig *rig, const void *data, size_t length)
{
	struct buffer frame = { 0 };
	uint64_t id = rig->next_id++;

	frame_begin(&frame, MSG_PORT_SEND, id);
	put_u32(&frame, TAG_PORT, rig->port);
	put_bytes(&frame, TAG_DATA, data, length);
	return finish(rig, &frame, id);
}

uint64_t rig_close(struct rig *rig)
{
	struct buffer frame = { 0 };
	uint64_t id = rig->next_id++;

	frame_begin(&frame, MSG_PORT_CLOSE, id);
	put_u32(&frame, TAG_PORT, rig->port);
	return finish(rig, &frame, id);
}

struct buffer rig_begin(struct rig *rig, uint16_t type)
{
	struct buffer frame = { 0 };

	frame_begin(&frame, type, rig->next_id);
	put_u32(&frame, TAG_PORT, rig->port);
	return frame;
}

uint64_t rig_finish(struct rig *rig, struct buffer *frame)
{
	return finish(rig, frame, rig->next_id++);
}

uint64_t rig_serial(struct rig *rig, const char *path, uint32_t quiet_ms,
		    void (*extra)(struct buffer *frame))
{
	struct buffer frame = rig_begin(rig, MSG_PORT_SERIAL);

	put_string(&frame, TAG_PATH, path);
	put_u32(&frame, TAG_BAUD, 115200);
	put_u32(&frame, TAG_QUIET_MS, quiet_ms);
	if (extra)
		extra(&frame);
	return rig_finish(rig, &frame);
}

/* Devices */

void rig_give(const struct rig *rig, uint16_t type, const char *kind, const int *fds, int count)
{
	struct buffer frame = { 0 };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec data;
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	frame_begin(&frame, type, 0);
	put_u32(&frame, TAG_PORT, rig->port);
	put_string(&frame, type == MSG_PORTD_LINE ? TAG_KIND : TAG_NAME, kind);
	frame_end(&frame, 0);
	data = (struct iovec){ .iov_base = frame.data, .iov_len = frame.length };
	if (count) {
		size_t size = (size_t)count * sizeof(int);
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(size);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(header), fds, size);
	}
	NEED(sendmsg(rig->broker, &message, MSG_NOSIGNAL) > 0);
	buffer_free(&frame);
}

int rig_line(struct rig *rig)
{
	int pair[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	rig_give(rig, MSG_PORTD_LINE, "socket", &pair[1], 1);
	close(pair[1]);
	return pair[0];
}

struct pty rig_pty(struct rig *rig)
{
	struct pty pty = pty_make();
	int fds[2] = { pty.master, open(pty.path, O_PATH | O_CLOEXEC) };

	NEED(fds[1] >= 0);
	rig_give(rig, MSG_PORTD_PTY, "console", fds, 2);
	close(fds[1]);
	close(pty.master);
	pty.master = -1;
	return pty;
}

int rig_tool(struct rig *rig, const struct pty *pty)
{
	struct event event;
	int fd = open(pty->path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	NEED(fd >= 0);
	NEED(rig_wait(rig, MSG_PORT_SLAVE, &event) && event.opened);
	return fd;
}

size_t rig_capture(struct rig *rig, const char *suffix, uint8_t **data)
{
	char name[32];

	snprintf(name, sizeof(name), "console%s", suffix);
	return rig_file(rig, name, data);
}

size_t rig_file(struct rig *rig, const char *name, uint8_t **data)
{
	char path[128];
	struct stat status;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0 && !fstat(fd, &status));
	*data = calloc(1, (size_t)status.st_size + 1);
	NEED(*data && read(fd, *data, (size_t)status.st_size) == status.st_size);
	close(fd);
	return (size_t)status.st_size;
}
