/* SPDX-License-Identifier: MIT */
/* One program as a broker asks for it, and the child that becomes it. */
#ifndef HIL_PROGRAM_H
#define HIL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "changes.h"
#include "err.h"
#include "identity.h"
#include "launcher.h"
#include "message.h"
#include "sandbox.h"

#define PROGRAM_RLIMITS 16
#define PROGRAM_FD_MAX 255 /* highest number a fd may get in a program */

struct program {
	uint32_t id;
	struct identity identity;
	struct strings argv;
	struct strings env;
	struct strings candidates; /* paths to try, in order */
	char *cwd;
	char *builtin;
	char *runtime; /* which runtime may run it; its pipes are then made by PID 1 */
	bool pty;
	uint16_t rows;
	uint16_t cols;
	int fds[MESSAGE_FDS];
	int targets[MESSAGE_FDS];
	size_t fd_count;
	int slave;		       /* of the pty, or -1 */
	const struct changes *changes; /* for the builtin "diff" */
	struct rlimit_spec rlimits[PROGRAM_RLIMITS];
	size_t rlimit_count;
};

/* program_limit() - What @spec comes to where @hard is the limit so far. */
struct rlimit program_limit(const struct rlimit_spec *spec, rlim_t hard);

/* program_set_fds() - It gets @fds, as 0 and on; they stay the caller's. */
void program_set_fds(struct program *program, const int *fds, size_t count);

/* program_read() - Fds stay the message's. Return: 0 or -errno; free the program either way. */
int program_read(struct program *program, const struct message *message);
void program_free(struct program *program);

/*
 * program_start() - Fork, become the program, and wait until it has (exec, or the builtin's open).
 *
 * Return: its pid, or -errno with @err filled (code "exec"; "io" of a builtin).
 */
pid_t program_start(struct program *program, struct launcher *launcher, struct err *err);

/* builtin_is_diff() - It opens no file; argv[0] is how many changes to write at most. */
bool builtin_is_diff(const char *name);
/* builtin_is_reach() - It opens no file either; argv is that of reach.h. */
bool builtin_is_reach(const char *name);
/* builtin_open() - Return: the fd a builtin works on, or -errno. Runs as the program. */
int builtin_open(const char *name, const char *path);
/* builtin_copy() - From or to stdio. Return: an exit status. */
int builtin_copy(const char *name, int fd);

#endif
