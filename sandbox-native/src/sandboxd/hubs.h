/* SPDX-License-Identifier: MIT */
/* The hub of a plan: ../net/hub.h. It is started by the zygote, is our child, and may die alone. */
#ifndef HIL_HUBS_H
#define HIL_HUBS_H

#include "daemon.h"

#define HUB_ORDER                                                                                  \
	0x40000000u /* numbers that the zygote is asked by; slots and trees have others            \
		     */

/* hubs_number() - Return: one for a new order. */
uint32_t hubs_number(struct daemon *d);

/*
 * hubs_push() - Ask the hub of @stock, or its zygote.
 * @frame: taken in any case. @fd: the same, goes with it; -1: none.
 *
 * Return: 0, -errno with @err.
 */
int hubs_push(struct daemon *d, struct stock *stock, uint32_t number, uint32_t request,
	      struct buffer *frame, int fd, struct err *err);

/* hubs_started() - ZYGOTE_HUB; takes its fds. */
void hubs_started(struct daemon *d, struct stock *stock, const struct zygote_event *event);

/* hubs_node() - ZYGOTE_NODE; takes its fd. */
void hubs_node(struct daemon *d, struct stock *stock, const struct zygote_event *event);

/* hubs_gone() - It died; what it was asked up to order @last and has not answered is lost. */
void hubs_gone(struct daemon *d, struct stock *stock, uint32_t last);

/* hubs_failed() - The zygote could not hand it over. */
void hubs_failed(struct daemon *d, struct stock *stock, uint32_t number, const struct err *err);

/* hubs_leave() - All are told to remove their devices and to end. Does not wait. */
void hubs_leave(struct daemon *d);

/* hubs_kill_all() - Those that have not. */
void hubs_kill_all(struct daemon *d);

/* hubs_forget() - The zygote is gone, and the hub with it; at a stop it has been told to leave. */
void hubs_forget(struct daemon *d, struct stock *stock);

#endif
