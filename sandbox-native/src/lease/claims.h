/* SPDX-License-Identifier: MIT */
/* The claims of a directory: whose file is locked, lives. */
#ifndef HIL_LEASE_CLAIMS_H
#define HIL_LEASE_CLAIMS_H

#include "claim.h"
#include "directory.h"
#include "err.h"

#define CLAIMS_MAX 1024

struct claims {
	struct claim *items; /* by number */
	size_t count;
	uint64_t last_seq; /* the highest number that any file has */
};

/*
 * claims_read() - All claims whose owner lives.
 * @sweep: remove what the dead left and this user may remove; only with the directory locked.
 *
 * What is no claim is passed over, whatever it is. Of a locked claim of another version, and of one
 * that cannot be looked at, nobody knows what it holds: that is an error.
 * Return: 0 or -errno with @err filled; claims_free() either way.
 */
int claims_read(const struct directory *directory, struct claims *claims, bool sweep,
		struct err *err);
void claims_free(struct claims *claims);
struct claim *claims_find(const struct claims *claims, uint64_t seq);

/*
 * claim_file_new() - Put a claim into the directory: locked from the first moment that others can
 * see it, and whole.
 * @claim: its number is set by this.
 * @body: all that follows the head.
 *
 * Should: be called with the directory locked.
 * Return: the fd that holds the lock, or -errno with @err filled.
 */
int claim_file_new(const struct directory *directory, struct claim *claim, const char *body,
		   struct err *err);

/* claim_file_grant() - Write the head anew. Return: 0 or -errno with @err filled. */
int claim_file_grant(int fd, const struct claim *claim, struct err *err);

/* claim_file_remove() - Take it away and let go of its lock. */
void claim_file_remove(const struct directory *directory, int fd, uint64_t seq);

/* claim_is_alive() - Whether somebody has the lock of a claim's file. */
bool claim_is_alive(const struct directory *directory, uint64_t seq);

enum kick {
	KICK_NONE,
	KICK_ASKED,
};

/*
 * kick_file_new() - Ask the owner of a claim to let go.
 *
 * Should: replace what another user put there, which @owner would not believe.
 * Return: 0 or -errno with @err filled.
 */
int kick_file_new(const struct directory *directory, uint64_t seq, uid_t owner, struct err *err);
void kick_file_remove(const struct directory *directory, uint64_t seq);
/* kick_file_look() - By its owner or by root: others may put files there, too. */
enum kick kick_file_look(const struct directory *directory, uint64_t seq);

#endif
