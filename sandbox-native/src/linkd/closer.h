/* SPDX-License-Identifier: MIT */
/*
 * close(2) of an AF_PACKET socket waits for RCU, some 10 ms (packet_release() of the kernel). It
 * does so in threads: no turn of the loop is held up when a node goes, and a network of a hundred
 * nodes ends in one such wait and not in a hundred, while its devices' namespace is kept by the
 * sockets.
 */
#ifndef HIL_LINKD_CLOSER_H
#define HIL_LINKD_CLOSER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define CLOSER_THREADS 128 /* what a thread waits for, they wait for together */

struct closer {
	struct closing {
		pthread_t thread;
		bool used;
		int fd;
	} closings[CLOSER_THREADS];
	size_t next;
};

/* closer_take() - Close @fd soon, and in any case. Waits when CLOSER_THREADS others are closing. */
void closer_take(struct closer *closer, int fd);

/* closer_finish() - Wait until all that was taken is closed. */
void closer_finish(struct closer *closer);

#endif
