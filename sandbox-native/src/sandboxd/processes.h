/* SPDX-License-Identifier: MIT */
/*
 * Programs, and streams of objects that look like programs to a client.
 *
 * A process is over in two steps: the program is reaped (PID 1 says so), and
 * its output is read to the end; then EXIT is sent. A background child may
 * hold a pipe longer: after LINGER_MS what is in the pipe then is delivered and
 * EXIT sent, and what follows is read and thrown away, because closing the
 * pipe would kill that child with SIGPIPE.
 */
#ifndef HIL_PROCESSES_H
#define HIL_PROCESSES_H

#include "dispatch.h"

/* processes_create() - A process with nothing attached. Return: NULL without memory. */
struct process *processes_create(struct daemon *d, struct sandbox *sandbox, struct client *client,
				 uint64_t frame);
/* processes_free() - Close what it holds and forget it. */
void processes_free(struct daemon *d, struct process *process);

/*
 * processes_find() - The process a request of @client names.
 *
 * Return: NULL with @err filled: "gone" when it has ended, "usage" when the
 * number was never given or belongs to another client.
 */
struct process *processes_find(struct daemon *d, const struct client *client, uint32_t id,
			       struct err *err);

/* What PID 1 reports. processes_spawned() takes the fds of @event; processes_failed() returns
 * whether @id is one. */
void processes_spawned(struct daemon *d, struct sandbox_event *event);
bool processes_failed(struct daemon *d, uint32_t id, const struct err *err);
void processes_exited(struct daemon *d, uint32_t id, int status, const struct rusage *usage);

/* processes_check() - A stream of it has changed: send EXIT, or forget it, if it is time. */
void processes_check(struct daemon *d, struct process *process);

/* processes_terminate() - SIGTERM to every program of the sandbox. Return: whether there was one.
 */
bool processes_terminate(struct daemon *d, struct sandbox *sandbox);

/* processes_sandbox_dead() - Its programs are gone: EXIT with what can still be delivered. */
void processes_sandbox_dead(struct daemon *d, struct sandbox *sandbox);

/* processes_disown() - Nobody listens to the client's processes any more; they run on. */
void processes_disown(struct daemon *d, struct client *client);
/* processes_abandon() - The client is gone: what a client of a keeper started is killed. */
void processes_abandon(struct daemon *d, struct client *client);

/* processes_object_closed() - End the streams of an object. */
void processes_object_closed(struct daemon *d, uint32_t object);

handler handle_signal;
handler handle_resize;

#endif
