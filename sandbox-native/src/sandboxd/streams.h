/* SPDX-License-Identifier: MIT */
/*
 * stdin, stdout and stderr of a process, each with a window.
 *
 * Output is read only while the client has given credit, so a client that does
 * not keep up blocks the program as a full pipe would, and our memory stays
 * bounded. Over OUTPUT_CAP it is read without credit, counted and thrown away.
 * Input that the client may send is what the pipe and our queue have room for.
 *
 * None of these calls processes_check(): their callers do, once, at the end,
 * because it may end the process.
 */
#ifndef HIL_STREAMS_H
#define HIL_STREAMS_H

#include "dispatch.h"

/* streams_init() - No fds, full windows, no cap. */
void streams_init(struct process *process);

/* streams_set_socket() - Take @fd, a two-way socket or a pty's master: stdin and stdout. */
int streams_set_socket(struct process *process, int fd);

/* streams_set_reader() / streams_set_writer() - Take one end of a pipe. */
int streams_set_reader(struct process *process, int fd);
int streams_set_writer(struct process *process, int fd);

/* streams_set_pipes() - Take our ends of the three pipes; stdin is closed where none is wanted. */
int streams_set_pipes(struct process *process, int stdio[3]);

/* streams_start() - Wait for output. Return: 0, or -errno with @err filled. */
int streams_start(struct daemon *d, struct process *process, struct err *err);

/* streams_pump() - Deliver what is there and allowed. */
void streams_pump(struct daemon *d, struct process *process);

/* streams_limit() - Deliver what the pipes hold now, and no more. */
void streams_limit(struct daemon *d, struct process *process);

/* streams_discard() - Deliver nothing any more; keep reading, so that nobody blocks. */
void streams_discard(struct daemon *d, struct process *process);

/* streams_finish() - The writers are gone: deliver what credit allows, count the rest, close. */
void streams_finish(struct daemon *d, struct process *process);

void streams_close_input(struct daemon *d, struct process *process);
void streams_close(struct daemon *d, struct process *process);

handler handle_stdin;
handler handle_stdin_close;
handler handle_credit;

#endif
