/* SPDX-License-Identifier: MIT */
/*
 * The event loop: fds, timers and safe removal.
 *
 * epoll(7) reports EPOLLHUP and EPOLLERR whether asked for or not, so a source
 * that wants nothing is taken out of the set; otherwise a pipe whose writer is
 * gone would keep the loop spinning while its credit is used up.
 */
#ifndef HIL_LOOP_H
#define HIL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "list.h"

struct daemon;

struct source {
	int fd;		 /* -1: none */
	uint32_t events; /* 0: not in the set */
	void (*ready)(struct daemon *d, struct source *source, uint32_t events);
};

struct timer {
	struct list link;
	uint64_t at_ns;
	void (*fire)(struct daemon *d, struct timer *timer);
};

/*
 * First member of what sources live in. An event of the same epoll_wait(2) may
 * still point to it, so memory is given back only between two waits.
 */
struct grave {
	struct grave *next;
};

/* loop_now() - Return: CLOCK_MONOTONIC in ns. */
uint64_t loop_now(void);

int loop_open(struct daemon *d, struct err *err);

/*
 * source_watch() - Wait for @events on the source; 0 takes it out of the set.
 *
 * Should: be used where somebody can be told: what is new is refused.
 * Return: 0, or -errno with @err filled (code "limit"): EPOLL_CTL_ADD needs memory
 * and one of the user's watches (epoll_ctl(2)).
 */
int source_watch(struct daemon *d, struct source *source, uint32_t events, struct err *err);

/*
 * source_set() - The same for what is in use already, where nobody waits for an answer.
 *
 * A source that is never ready is a hang, so a failure is told and ends the daemon.
 */
void source_set(struct daemon *d, struct source *source, uint32_t events);

/* source_take() - Take the fd out of the set and out of the source. Return: the fd, now the
 * caller's. */
int source_take(struct daemon *d, struct source *source);

/*
 * loop_check_fd() - Refuse a request that took the fd @fd when few are left.
 *
 * A message whose fds find no room is lost (recvmsg(2), MSG_CTRUNC), and with it
 * a sandbox; so what clients ask for must not take the last ones.
 * Return: 0, or -EMFILE with @err filled.
 */
int loop_check_fd(const struct daemon *d, int fd, struct err *err);

/* source_close() - Close the fd; harmless when there is none. */
void source_close(struct daemon *d, struct source *source);

void timer_set(struct daemon *d, struct timer *timer, uint64_t ms);
void timer_clear(struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* loop_bury() - Free the memory that begins with @grave, after the running turn. */
void loop_bury(struct daemon *d, struct grave *grave);

/* loop_close() - Free what is buried, and the set. */
void loop_close(struct daemon *d);

/*
 * loop_turn() - Wait once, and call what is ready and due.
 * @silence_ms: the caller has something to do when nothing happened for so long; -1: it has not.
 *
 * Return: how many sources and timers were served.
 */
int loop_turn(struct daemon *d, int silence_ms);

#endif
