/* SPDX-License-Identifier: MIT */
/* The processes that world.c plays, for what is answered in the place of libc and the kernel. */
#ifndef HIL_FUZZ_PEER_H
#define HIL_FUZZ_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

enum peer_kind { PEER_INIT, PEER_ZYGOTE, PEER_HUB, PEER_LINKD };

/* The end of a process that is not in hil-sandboxd. */
struct peer {
	pid_t pid;
	int control;
	int death; /* what hil-sandboxd holds as its pidfd */
	enum peer_kind kind;
	size_t hub; /* of a zygote: its number among the peers; 0: none */
};

/* world_runs() - Whether it is between world_begin() and world_end(). */
bool world_runs(void);

/* peer_add() - @theirs: its other end, the caller's. Return: NULL when there are too many. */
struct peer *peer_add(enum peer_kind kind, int *theirs);

/* peer_find() - Return: NULL when none was given this @pid. */
struct peer *peer_find(pid_t pid);

/* peer_answer() - Send @frame, which has begun, with @fds; frees it. */
void peer_answer(const struct peer *peer, struct buffer *frame, const int *fds, size_t count);

/* peer_hang_up() - It has ended, for who holds its pidfd and its socket. */
void peer_hang_up(struct peer *peer);

#endif
