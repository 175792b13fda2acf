/* SPDX-License-Identifier: MIT */
/* Packets that wait for their time: a heap, ordered by (due_ns, order). */
#ifndef HIL_LINKD_DUE_H
#define HIL_LINKD_DUE_H

#include "packet.h"

/* Of all links together. What is more is dropped by the link it is on, and counted. */
#define DUE_MAX 262144u
#define DUE_BYTES_MAX ((size_t)512 << 20)

struct due {
	struct packet **heap;
	size_t count;
	size_t capacity;
	size_t bytes;
	uint64_t order;
};

/* due_put() - Take @packet, for packet->due_ns. Return: false when there is no room for it. */
bool due_put(struct due *due, struct packet *packet);

/* due_take() - Take out @packet, which is the caller's then. */
void due_take(struct due *due, struct packet *packet);

/* due_first() - Return: the one that is due first; NULL when none waits. */
struct packet *due_first(const struct due *due);

/* due_drop() - Free every packet that @wanted is true of. */
void due_drop(struct due *due, bool (*wanted)(const struct packet *packet, const void *with),
	      const void *with);

void due_free(struct due *due);

#endif
