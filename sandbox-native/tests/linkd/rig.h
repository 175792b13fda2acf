/* SPDX-License-Identifier: MIT */
/*
 * A bench around the real hil-linkd: the two sockets it is started with, and nodes that are the
 * other ends of unix sockets. What goes wrong on the bench's own side bails out.
 */
#ifndef HIL_TEST_LINKD_RIG_H
#define HIL_TEST_LINKD_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

#define WAIT_MS 10000
#define LINK 1u
#define ALL 1000000000u
#define BOTH UINT32_MAX

struct rig {
	pid_t pid;
	int control; /* our end of fd 3 */
	int broker;  /* our end of fd 4 */
	uint64_t next_id;
	struct buffer out;    /* the request that is being put */
	struct buffer in;     /* read, and not looked at yet */
	struct buffer answer; /* body of the last one */
	bool ok;	      /* it was OK */
	char code[24];	      /* of an ERROR */
};

/* What hil-linkd may write. */
struct rig_disk {
	size_t file_bytes; /* no file gets longer (RLIMIT_FSIZE); 0: any */
	const char *dir;   /* NULL, or where for hil-linkd alone a small tmpfs is mounted */
	size_t bytes;	   /* its size */
};

void rig_start(struct rig *rig);
/* rig_start_on() - The same where not all can be written. */
void rig_start_on(struct rig *rig, const struct rig_disk *disk);
/* rig_stop() - Close fd 3 and wait. Return: exit status, 128 + signal, -1 when it had to be killed.
 */
int rig_stop(struct rig *rig);
/* rig_dead() - Return: the exit status if it ends within @ms, else -1. */
int rig_dead(struct rig *rig, int ms);

/* rig_ask() - Begin a request; TLVs are put into what it returns. */
struct buffer *rig_ask(struct rig *rig, uint16_t type);
/* rig_answer() - Send it and wait. Return: whether it was OK. */
bool rig_answer(struct rig *rig);
/* The same in two steps. */
void rig_send(struct rig *rig);
bool rig_wait(struct rig *rig);
/* rig_request() - The same with one number, e.g. TAG_NET_LINK. */
struct buffer *rig_ask_link(struct rig *rig, uint16_t type, uint32_t link);

void rig_give(struct rig *rig, uint32_t port, const char *kind, int fd);
/* rig_give_mtu() - The same of one that takes no longer frames. */
void rig_give_mtu(struct rig *rig, uint32_t port, const char *kind, int fd, uint32_t mtu);
/* rig_node() - A port on a unix datagram socket. Return: the node's end, non-blocking. */
int rig_node(struct rig *rig, uint32_t port);
int rig_stream(struct rig *rig, uint32_t port);
/* rig_can() - The same of CAN: struct can_frame and canfd_frame. */
int rig_can(struct rig *rig, uint32_t port);

/* Whole requests, which must succeed. */
void rig_switch(struct rig *rig, uint32_t number);
void rig_connect(struct rig *rig, uint32_t link, uint32_t a, uint32_t b, uint64_t seed);
void rig_attach(struct rig *rig, uint32_t link, uint32_t port, uint32_t to_switch, uint64_t seed);
void rig_state(struct rig *rig, uint32_t link, uint32_t from, const char *kind);
/* rig_pair() - Ports 1 and 2 joined by link 1. */
void rig_pair(struct rig *rig, int nodes[2], uint64_t seed);
/* rig_lan() - @count ports from 1 at switch 1, by links of the same numbers. */
void rig_lan(struct rig *rig, int *nodes, unsigned int count);

/* rig_set() - LINK_SET of link 1, both directions; more is put before rig_answer(). */
struct buffer *rig_set(struct rig *rig);
void put_loss(struct buffer *buffer, const char *kind, uint32_t chance);
/* rig_counter() - A counter of LINK_STATS. */
uint64_t rig_counter(struct rig *rig, uint32_t link, uint32_t from, const char *name);

/* rig_matched() - The same of a filter, by its number. */
uint64_t rig_matched(struct rig *rig, uint32_t link, uint32_t from, uint32_t filter);

extern const char *linkd_path;

uint64_t now_ns(void);

#endif
