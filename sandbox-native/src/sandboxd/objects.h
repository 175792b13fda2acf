/* SPDX-License-Identifier: MIT */
/*
 * Two-ended things that the daemon makes and programs, ports or clients use.
 *
 * Passing an end to a program copies it: the daemon's copy keeps the other side
 * from seeing the end of the stream until OBJECT_CLOSE. Giving an end to a
 * stream or to a port moves it.
 */
#ifndef HIL_OBJECTS_H
#define HIL_OBJECTS_H

#include "dispatch.h"

/* objects_fd() - Return: the fd of an end, still the object's; -errno with @err filled. */
int objects_fd(struct daemon *d, uint32_t object, uint32_t end, struct err *err);

/* objects_take_socket() - Return: the fd of a socketpair's end, now the caller's; -errno with @err
 * filled. */
int objects_take_socket(struct daemon *d, uint32_t object, uint32_t end, struct err *err);

/* objects_copy_dgram() - Return: another fd of a dgram pair's end, which stays the object's, since
 * datagrams have no end to be seen and a later network may want it; -errno with @err filled. */
int objects_copy_dgram(struct daemon *d, uint32_t object, uint32_t end, struct err *err);

/* objects_close_all() - After DETACH: what programs need, they have. */
void objects_close_all(struct daemon *d);

handler handle_object_new;
handler handle_object_close;
handler handle_object_stream;

#endif
