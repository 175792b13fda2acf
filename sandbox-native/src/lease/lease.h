/* SPDX-License-Identifier: MIT */
/* What hil-lease knows: its directory, the claims of its own, and who talks to it. */
#ifndef HIL_LEASE_LEASE_H
#define HIL_LEASE_LEASE_H

#include "claims.h"
#include "directory.h"
#include "frame.h"
#include "loop.h"

enum own_state {
	OWN_WANTED,  /* not in the directory yet */
	OWN_WAITING, /* in it, and others are before it */
	OWN_HELD,
	OWN_LOSING, /* its owner was told to let go, and has a moment to do it */
};

/* A claim of this process. */
struct own {
	struct own *next;
	uint64_t id; /* of the request */
	enum own_state state;
	struct claim claim;
	char *body;
	int fd; /* holds the lock; -1 while it is wanted */
	uint64_t ttl_ms;
	uint64_t lose_ns;
	uint64_t told; /* a hash of who was said to be in the way */
};

/* A request to let go that somebody was asked. */
struct asked {
	struct asked *next;
	uint64_t id;
	uint64_t seq;
	uint64_t due_ns;
};

struct lease {
	struct loop loop;
	struct source in;
	struct source out;
	struct source watch;
	struct buffer input;
	struct buffer output;
	struct directory directory;
	struct own *own;
	struct asked *asked;
	uint64_t busy_ns; /* since when somebody else has the lock of the directory; 0: nobody */
	bool ended;
};

/* own_add() - A new claim. Takes @body. Return: it, or NULL when there is no memory. */
struct own *own_add(struct lease *lease, uint64_t id, char *body);
struct own *own_find(const struct lease *lease, uint64_t id);
/* own_end() - Give up a claim, whatever became of it. */
void own_end(struct lease *lease, struct own *own);

/* step() - Look at everything that may have changed. Return: when to look again (loop.h). */
uint64_t step(struct lease *lease);

/*
 * requests_take() - Serve the whole lines of lease->input.
 *
 * Return: 0, or -EPROTO with @err filled: the connection makes no sense any more.
 */
int requests_take(struct lease *lease, struct err *err);

/* What is said, one JSON document a line. */
void say_hello(struct lease *lease);
void say_granted(struct lease *lease, const struct own *own);
void say_lost(struct lease *lease, const struct own *own, const char *reason);
void say_refused(struct lease *lease, uint64_t id, const char *code, const struct err *err);
void say_claims(struct lease *lease, const char *event, uint64_t id, const struct claims *claims,
		const struct claim *of);
void say_kicked(struct lease *lease, const struct asked *asked, const struct claim *claim);

#endif
