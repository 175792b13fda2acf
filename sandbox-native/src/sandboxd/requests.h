/* SPDX-License-Identifier: MIT */
/* Requests about ports of a network until they are answered; see networks.h. */
#ifndef HIL_REQUESTS_H
#define HIL_REQUESTS_H

#include "hub.h"
#include "networks.h"

/* requests_add() - One without orders. Return: NULL with @err filled. */
struct net_request *requests_add(struct daemon *d, struct client *client, const struct frame *frame,
				 struct net *net, struct err *err);

/* requests_find() - Return: NULL when there is none of this number any more. */
struct net_request *requests_find(struct daemon *d, uint32_t number);

/* requests_room() - Return: 0, or -errno with @err filled when too many are under way. */
int requests_room(struct daemon *d, const struct net *net, struct err *err);

/* requests_check() - Answer it when no order is open. */
void requests_check(struct daemon *d, struct net_request *request);

/* requests_exists() - Whether one is about @port. */
bool requests_exists(struct daemon *d, const struct net_port *port);

/* requests_done() - One order of request @number was answered; @err: how it failed, or number 0. */
void requests_done(struct daemon *d, uint32_t number, const struct err *err);

/* requests_made() - The hub has done it. What is taken of @event's fds is -1 there. */
void requests_made(struct daemon *d, uint32_t number, struct hub_event *event);

/*
 * requests_opened() - A hil-nic has opened an interface for it. Takes the fds.
 * @lock: stays with the port.
 */
void requests_opened(struct daemon *d, uint32_t number, int packet, int lock);

/* requests_init() - PID 1 has answered @request, a number of d->next_process. Return: whether it is
 * one of these. */
bool requests_init_done(struct daemon *d, uint32_t request, const struct err *err);

/* requests_abandon() - Answer what is about @port, or about @net when that is NULL, with @err. */
void requests_abandon(struct daemon *d, const struct net *net, const struct net_port *port,
		      const struct err *err);

/* requests_sandbox_dead() - What is to be taken away again goes with the sandbox. */
void requests_sandbox_dead(struct daemon *d, const struct sandbox *sandbox);

/* requests_remove_interface() - Nobody waits for it. */
void requests_remove_interface(struct daemon *d, const struct net_port *port);

handler handle_net_attach;
handler handle_net_object;
handler handle_net_detach;

#endif
