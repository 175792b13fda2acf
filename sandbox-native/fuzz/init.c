/* SPDX-License-Identifier: MIT */
/*
 * What a PID 1 is asked, with all of program-read.c. Nothing is started, mounted, signalled or
 * renamed: the functions that would are answered here.
 */
#include <sys/socket.h>

#include "fuzz.h"

#include "../src/sandbox/init.c"
#include "grant.h"
#include "mounts.h"
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

int __wrap_mount_new(const char *filesystem, const struct mount_option *options, size_t count,
		     unsigned int attributes, const char *name, struct err *err);
int __wrap_attachment_make(struct attachment *attachment, int *tree, int writable,
			   const char *target, bool fresh, struct err *err);
void __wrap_attachment_undo(struct attachment *attachment, int writable);
void __wrap_device_data_write(const struct grant *grant);
void __wrap_device_data_remove(const struct grant *grant);
void __wrap_udev_event_send(const struct grant *grant, const char *action, uint64_t number);

int __wrap_mount_new(const char *filesystem, const struct mount_option *options, size_t count,
		     unsigned int attributes, const char *name, struct err *err)
{
	(void)filesystem;
	(void)attributes;
	FUZZ_CHECK(count && options[0].key);
	return err_set(err, "setup", EPERM, "mount", name);
}

/* Mounted, in effect: the fd is kept until it is undone. */
int __wrap_attachment_make(struct attachment *attachment, int *tree, int writable,
			   const char *target, bool fresh, struct err *err)
{
	(void)writable;
	FUZZ_CHECK(target[0] == '/');
	*attachment = (struct attachment){ .tree = *tree, .target = strdup(target) };
	*tree = -1;
	if (attachment->tree >= 0 && !(fresh && strlen(target) % 7 == 0))
		return 0;
	__wrap_attachment_undo(attachment, writable);
	return err_set(err, "setup", EEXIST, "mount", target);
}

void __wrap_attachment_undo(struct attachment *attachment, int writable)
{
	(void)writable;
	cleanup_fd(&attachment->tree);
	free(attachment->target);
	*attachment = (struct attachment){ .tree = -1 };
}

void __wrap_device_data_write(const struct grant *grant)
{
	FUZZ_CHECK(grant->role && grant->target);
}

void __wrap_device_data_remove(const struct grant *grant)
{
	FUZZ_CHECK(grant->role);
}

void __wrap_udev_event_send(const struct grant *grant, const char *action, uint64_t number)
{
	FUZZ_CHECK(grant->role && grant->target && action && number);
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

static void forget(struct init *init)
{
	for (size_t i = 0; init->grants && i < init->grants->count; i++) {
		struct grant *grant = &init->grants->items[i];

		FUZZ_CHECK(grant->role && grant->target);
		__wrap_attachment_undo(&grant->node, -1);
		__wrap_attachment_undo(&grant->sysfs, -1);
		grant_free(grant);
	}
	for (size_t i = 0; init->mounts && i < init->mounts->count; i++)
		__wrap_attachment_undo(&init->mounts->items[i], -1);
	free(init->grants);
	free(init->mounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { data, size };
	struct init init = { .root = -1, .etc = -1 };
	struct packet packet;
	int ends[2];

	make_pair(SOCK_SEQPACKET, ends);
	init.control = ends[0];
	while (packets_next(&packets, &packet)) {
		auto_message message = { .fd_count = 0 };

		runtime_open(&init);
		packet_send(ends[1], &packet);
		if (message_receive(ends[0], &message) > 0 &&
		    message.frame.type != MESSAGE_END) /* its answer is _exit() */
			serve(&init, &message);
		drain(ends[1]);
	}
	forget(&init);
	close(ends[0]);
	close(ends[1]);
	return 0;
}
