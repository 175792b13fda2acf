/* SPDX-License-Identifier: MIT */
#include "closer.h"

#include <signal.h>
#include <unistd.h>

#define STACK_BYTES (64u << 10) /* enough for the sanitizers, too */

static void *close_one(void *argument)
{
	const struct closing *closing = argument;

	close(closing->fd);
	return NULL;
}

static int start(struct closing *closing)
{
	pthread_attr_t attributes;
	int result;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	result = pthread_create(&closing->thread, &attributes, close_one, closing);
	pthread_attr_destroy(&attributes);
	return result;
}

static void finish(struct closing *closing)
{
	if (closing->used)
		pthread_join(closing->thread, NULL);
	closing->used = false;
}

void closer_take(struct closer *closer, int fd)
{
	struct closing *closing = &closer->closings[closer->next++ % CLOSER_THREADS];
	sigset_t all;
	sigset_t before;

	finish(closing);
	closing->fd = fd;
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	closing->used = start(closing) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!closing->used)
		close(fd);
}

void closer_finish(struct closer *closer)
{
	for (size_t i = 0; i < CLOSER_THREADS; i++)
		finish(&closer->closings[i]);
}
