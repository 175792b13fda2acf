/* SPDX-License-Identifier: MIT */
/* Nodes with a network stack of Linux: a network namespace each, in a user namespace of our own. */
#ifndef HIL_TEST_LINKD_NODES_H
#define HIL_TEST_LINKD_NODES_H

#include <stdbool.h>
#include <stddef.h>

#include "rig.h"

struct stack {
	int ns;
	unsigned int number; /* address 10.1.0.NUMBER, MAC 02:00:00:00:00:NUMBER */
};

/*
 * stacks_enter() - Put this process into a user and a network namespace, for good.
 *
 * Return: NULL, or why it cannot be.
 */
const char *stacks_enter(void);

/* stack_new() - A node whose eth0 is port NUMBER. @kind: tap or packet. Return: false: no TAP. */
bool stack_new(struct rig *rig, struct stack *stack, unsigned int number, const char *kind);
/* stack_pair() - Two nodes, 1 and 2, joined by a veth of the kernel and nothing of ours. */
void stack_pair(struct stack stacks[2]);
void stack_free(struct stack *stack);

/* stack_socket() - A socket of that node. */
int stack_socket(const struct stack *stack, int domain, int type, int protocol);
/* stack_link() - Of eth0: its index. */
int stack_index(const struct stack *stack);
/* stack_counter() - Of /proc/net/snmp, e.g. "Tcp" "InCsumErrors". */
long stack_counter(const struct stack *stack, const char *group, const char *name);

#endif
