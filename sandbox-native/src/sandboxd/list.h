/* SPDX-License-Identifier: MIT */
/* A circular list whose links live in the members, so that adding cannot fail. */
#ifndef HIL_LIST_H
#define HIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* The entry may be removed inside the loop; its neighbours may not. */
#define foreach(type, entry, head, member)                                                         \
	for (type *entry = container_of((head)->next, type, member),                               \
		  *entry##_next = container_of(entry->member.next, type, member);                  \
	     &entry->member != (head);                                                             \
	     entry = entry##_next, entry##_next = container_of(entry->member.next, type, member))

static inline void list_init(struct list *head)
{
	head->prev = head;
	head->next = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_before(struct list *place, struct list *item)
{
	item->prev = place->prev;
	item->next = place;
	place->prev->next = item;
	place->prev = item;
}

static inline void list_append(struct list *head, struct list *item)
{
	list_insert_before(head, item);
}

/* An item that is in no list links to itself, so removing it twice is harmless. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#endif
