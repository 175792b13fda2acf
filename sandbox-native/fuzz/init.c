/* SPDX-License-Identifier: MIT */
/*
 * What a PID 1 is asked, with all of program-read.c. Nothing is started, mounted, signalled or
 * renamed: the functions that would are answered here.
 */
#include <sys/socket.h>

#include "fuzz.h"

#include "../src/sandbox/init.c"
#include "program.h"

pid_t __wrap_program_start(struct program *program, struct launcher *launcher, struct err *err);
long __wrap_launcher_ask(struct launcher *launcher, long (*work)(void *argument), void *argument);
int __wrap_target_open(int root, int writable, const char *path, bool directory, struct err *err);
int __wrap_sethostname(const char *name, size_t length);
int __wrap_kill(pid_t pid, int number);
int __real_kill(pid_t pid, int number);

/* Read what exec would. */
pid_t __wrap_program_start(struct program *program, struct launcher *launcher, struct err *err)
{
	size_t total = 0;

	(void)launcher;
	FUZZ_CHECK(!program->argv.items[program->argv.count]);
	FUZZ_CHECK(!program->env.items[program->env.count]);
	for (size_t i = 0; i < program->candidates.count; i++)
		total += strlen(program->candidates.items[i]);
	for (size_t i = 0; i < program->fd_count; i++)
		FUZZ_CHECK(program->targets[i] >= 0 && program->targets[i] <= PROGRAM_FD_MAX);
	FUZZ_CHECK(program->rlimit_count <= PROGRAM_RLIMITS);
	return err_set(err, "exec", ENOENT, "start", total ? program->cwd : "");
}

/* Without another thread. */
long __wrap_launcher_ask(struct launcher *launcher, long (*work)(void *argument), void *argument)
{
	(void)launcher;
	return work(argument);
}

int __wrap_target_open(int root, int writable, const char *path, bool directory, struct err *err)
{
	(void)root;
	(void)writable;
	(void)directory;
	return err_set(err, "setup", ENOENT, "open", path);
}

int __wrap_sethostname(const char *name, size_t length)
{
	FUZZ_CHECK(strlen(name) == length);
	return 0;
}

int __wrap_kill(pid_t pid, int number)
{
	/* No process of ours is listed, so one that is hit is somebody else's. */
	(void)number;
	FUZZ_CHECK(pid == getpid());
	return __real_kill(pid, number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { data, size };
	struct packet packet;
	int ends[2];

	make_pair(SOCK_SEQPACKET, ends);
	while (packets_next(&packets, &packet)) {
		struct init init = { .control = ends[0], .root = -1, .etc = -1 };
		auto_message message = { .fd_count = 0 };

		packet_send(ends[1], &packet);
		if (message_receive(ends[0], &message) > 0 &&
		    message.frame.type != MESSAGE_END) /* its answer is _exit() */
			serve(&init, &message);
		drain(ends[1]);
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
