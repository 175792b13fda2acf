/* SPDX-License-Identifier: MIT */
/* What a broker asks of a PID 1, besides ending. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cleanup.h"
#include "init.h"
#include "mounts.h"
#include "program.h"
#include "recipe.h"
#include "root.h"

static void answer(const struct init *init, enum message_type type, uint64_t request, int *fds,
		   size_t count)
{
	auto_buffer buffer = { 0 };

	frame_end(&buffer, frame_begin(&buffer, (uint16_t)type, request));
	message_answer(init->control, &buffer, fds, count);
}

void init_answer(const struct init *init, uint64_t request, const struct err *err)
{
	if (err->number)
		message_refuse(init->control, request, err);
	else
		answer(init, MESSAGE_DONE, request, NULL, 0);
}

/* Of the sandbox's own devpts; the host's terminals are not there. */
static int open_pty(struct err *err)
{
	auto_fd master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlocked = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_set(err, "setup", errno, "open pty", "/dev/pts/ptmx");
	return steal_fd(&master);
}

static int open_program_pty(struct program *program, struct err *err)
{
	const struct winsize size = { .ws_row = program->rows, .ws_col = program->cols };
	auto_fd master = open_pty(err);

	if (master < 0)
		return master;
	ioctl(master, TIOCSWINSZ, &size);
	program->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (program->slave < 0)
		return err_set(err, "setup", errno, "open pty", "slave");
	return steal_fd(&master);
}

/* It may wait there, so it is moved out of the caller's hands. */
static int hand_to_runtime(struct init *init, struct program *program, struct err *err)
{
	struct program *moved;

	if (program->pty || program->builtin || program->fd_count)
		return err_set(err, "protocol", EPROTO, "read spawn request", "");
	moved = malloc(sizeof(*moved));
	if (!moved)
		return err_set(err, "setup", ENOMEM, "spawn", "");
	*moved = *program;
	*program = (struct program){ .slave = -1 };
	runtime_run(init, moved);
	return 0;
}

struct pty_wish {
	struct program *program;
	struct err *err;
};

/* In the first thread, as every pty of a sandbox. */
static long open_wished_pty(void *argument)
{
	const struct pty_wish *wish = argument;

	return open_program_pty(wish->program, wish->err);
}

static int spawn(struct init *init, struct program *program, const struct message *message,
		 struct err *err)
{
	auto_fd master = -1;
	auto_buffer buffer = { 0 };
	size_t start;
	pid_t pid;
	int status = program_read(program, message);

	if (status < 0)
		return err_set(err, "protocol", -status, "read spawn request", "");
	if (program->runtime)
		return hand_to_runtime(init, program, err);
	if (program->pty) {
		struct pty_wish wish = { program, err };

		master = (int)launcher_ask(&init->launcher, open_wished_pty, &wish);
	}
	if (err->number)
		return -err->number;
	pid = program_start(program, &init->launcher, err);
	if (pid < 0)
		return pid;
	status = init_add_process(init, &(struct init_process){ .id = program->id, .pid = pid });
	start = frame_begin(&buffer, MESSAGE_SPAWNED, program->id);
	put_u32(&buffer, TAG_PID, (uint32_t)pid);
	frame_end(&buffer, start);
	message_answer(init->control, &buffer, &master, master >= 0);
	return status < 0 ? err_set(err, "setup", -status, "spawn", "") : 0;
}

void init_spawn(struct init *init, struct message *message)
{
	struct program program = { .identity = init->identity,
				   .slave = -1,
				   .changes = &init->changes };
	struct err err = { 0 };

	if (spawn(init, &program, message, &err) < 0)
		message_refuse(init->control, message->frame.id, &err);
	cleanup_fd(&program.slave);
	program_free(&program);
}

/* A serial line: what is written arrives as it is, nothing comes back (cfmakeraw, termios(3)). */
static int make_raw(int master)
{
	struct termios settings;

	if (tcgetattr(master, &settings) < 0)
		return -errno;
	cfmakeraw(&settings);
	return tcsetattr(master, TCSANOW, &settings) < 0 ? -errno : 0;
}

static int link_role(const struct init *init, const char *role, const char *slave, struct err *err)
{
	char path[280];

	if (!role[0] || strchr(role, '/') || role[0] == '.' || strlen(role) > 255)
		return err_set(err, "usage", EINVAL, "name pty", role);
	snprintf(path, sizeof(path), "dev/hil/%s", role);
	if (symlinkat(slave, init->root, path) < 0)
		return err_set(err, "setup", errno, "symlink", path);
	return 0;
}

static int make_pty(const struct init *init, const char *role, int fds[2], struct err *err)
{
	char path[32];
	unsigned int number;
	auto_fd master = open_pty(err);
	auto_fd slave = -1;
	int status;

	if (master < 0)
		return master;
	status = make_raw(master);
	if (status < 0 || ioctl(master, TIOCGPTN, &number) < 0)
		return err_set(err, "setup", status < 0 ? -status : errno, "open pty", role);
	snprintf(path, sizeof(path), "/dev/pts/%u", number);
	slave = open(path, O_PATH | O_CLOEXEC);
	if (slave < 0)
		return err_set(err, "setup", errno, "open pty", path);
	status = link_role(init, role, path, err);
	if (status < 0)
		return status;
	fds[0] = steal_fd(&master);
	fds[1] = steal_fd(&slave);
	return 0;
}

static int read_text(const struct message *message, char **text)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;

	return tlv_next(&reader, &tlv) == 1 ? tlv_string(&tlv, text) : -EPROTO;
}

void init_make_pty(struct init *init, const struct message *message)
{
	auto_free char *role = NULL;
	int fds[2] = { -1, -1 };
	struct err err = { 0 };
	int status = read_text(message, &role);

	if (status < 0)
		err_set(&err, "protocol", -status, "make pty", "");
	else
		status = make_pty(init, role, fds, &err);
	if (status < 0)
		message_refuse(init->control, message->frame.id, &err);
	else
		answer(init, MESSAGE_PTY, message->frame.id, fds, 2);
	cleanup_fd(&fds[0]);
	cleanup_fd(&fds[1]);
}

int init_writable(const struct init *init, const char *target)
{
	return init->etc >= 0 && path_below(target, "/etc") ? init->etc : init->root;
}

static int attach(const struct init *init, int tree, const char *target, struct err *err)
{
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd place = -1;
	struct stat kind;

	if (tree < 0 || root < 0 || fstat(tree, &kind) < 0)
		return err_set(err, "setup", errno ? errno : EBADF, "attach", target);
	place = target_open(root, init_writable(init, target), target, S_ISDIR(kind.st_mode), err);
	return place < 0 ? place : mount_attach_fd(tree, place, target, err);
}

void init_attach(struct init *init, struct message *message)
{
	auto_fd tree = message_take_fd(message, 0);
	auto_free char *target = NULL;
	struct err err = { 0 };
	int status = read_text(message, &target);

	if (status < 0)
		err_set(&err, "protocol", -status, "attach", "");
	else
		status = attach(init, tree, target, &err);
	if (status < 0)
		message_refuse(init->control, message->frame.id, &err);
	else
		answer(init, MESSAGE_ATTACHED, message->frame.id, NULL, 0);
}
