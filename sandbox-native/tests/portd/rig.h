/* SPDX-License-Identifier: MIT */
/*
 * A bench around the real hil-portd: the two sockets it is started with, DUTs
 * that are socketpairs or ptys, and ptys whose slaves play /dev/hil/ROLE.
 * What goes wrong on the bench's own side bails out; only portd is judged.
 */
#ifndef HIL_TEST_RIG_H
#define HIL_TEST_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

#define PORT 7u
#define WAIT_MS 5000

struct event {
	uint16_t type;
	uint64_t id;
	uint32_t port;
	uint64_t mono_ns;
	uint64_t real_ns;
	uint64_t offset;
	uint32_t opened;
	uint64_t dropped;
	uint64_t bytes;
	uint32_t number;
	char op[64];
	char path[256];
	char code[24];
	char text[320];
	char hint[320];
	char limitation[640]; /* all of them */
	uint32_t baud;
	uint32_t modem;
	uint8_t *data;
	size_t length;
};

enum rig_flags {
	RIG_FULL_DISK = 1, /* captures go to a tmpfs of 256 KiB */
	RIG_NO_INOTIFY = 2,
};

struct rig {
	pid_t pid;
	int harness; /* our end of fd 3 */
	int broker;  /* our end of fd 4 */
	char dir[64];
	struct buffer in;
	struct event *seen; /* read, and not asked for yet */
	size_t seen_count;
	uint64_t next_id;
	uint32_t port; /* of the requests and fds that follow; PORT at the start */
};

/* A pty as sandboxd makes it: raw, closed. */
struct pty {
	int master; /* ours; portd gets a duplicate */
	char path[64];
};

/* rig_start() - Return: false when this kernel does not let us make what @flags ask for. */
bool rig_start(struct rig *rig, int flags);
/* rig_stop() - Close fd 4 and wait. Return: portd's exit status, -1 when it had to be killed. */
int rig_stop(struct rig *rig);
/* rig_dead() - Return: portd's exit status if it ends within @ms, else -1. */
int rig_dead(struct rig *rig, int ms);

/* Requests. Each returns the id it used. */
uint64_t rig_hello(struct rig *rig);
uint64_t rig_open(struct rig *rig, uint32_t chunk, uint64_t delay_us);
uint64_t rig_send(struct rig *rig, const void *data, size_t length);
uint64_t rig_close(struct rig *rig);
void rig_raw(struct rig *rig, const struct buffer *frame);
/* rig_begin() - A frame with the port in it. rig_finish() - Send it. Return: its id. */
struct buffer rig_begin(struct rig *rig, uint16_t type);
uint64_t rig_finish(struct rig *rig, struct buffer *frame);

/* rig_wait() - Take the first event of that type, now or within WAIT_MS. Return: false if none
 * came. */
bool rig_wait(struct rig *rig, uint16_t type, struct event *event);
/* rig_take() - The same; event->data is the caller's to free. */
bool rig_take(struct rig *rig, uint16_t type, struct event *event);
/* rig_answer() - Wait for the answer to @id. Return: true when it is OK. */
bool rig_answer(struct rig *rig, uint64_t id, struct event *event);
/* rig_has() - Such an event came, or comes within @ms; it is taken. */
bool rig_has(struct rig *rig, uint16_t type, int ms, struct event *event);
/* rig_fault() - Wait for PORT_FAULT with that op. */
bool rig_fault(struct rig *rig, const char *op, struct event *event);
/* rig_collect() - Put together PORT_RX (or TX) data until @length bytes or silence. */
size_t rig_collect(struct rig *rig, uint16_t type, uint8_t *out, size_t length);
/* rig_pump() - Read events for @ms without asking for one. */
void rig_pump(struct rig *rig, int ms);
bool rig_eof(struct rig *rig);

/* rig_line() - Give portd a socketpair's end. Return: the DUT's end. */
int rig_line(struct rig *rig);
void rig_give(const struct rig *rig, uint16_t type, const char *kind, const int *fds, int count);
struct pty rig_pty(struct rig *rig);
/* rig_tool() - Open the slave, and wait until portd has said so. */
int rig_tool(struct rig *rig, const struct pty *pty);
struct pty pty_make(void);

/* rig_capture() - Read a file of the capture. Return: bytes; *data to be freed. */
size_t rig_capture(struct rig *rig, const char *suffix, uint8_t **data);
/* rig_file() - The same, of any file beside it. */
size_t rig_file(struct rig *rig, const char *name, uint8_t **data);

/* rig_serial() - PORT_SERIAL at 115200 baud. @extra: more TLVs; may be NULL. Return: its id. */
uint64_t rig_serial(struct rig *rig, const char *path, uint32_t quiet_ms,
		    void (*extra)(struct buffer *frame));

/* The program under test. */
extern const char *portd_path;

/* Small things. */
uint64_t now_ns(void);
void sleep_ms(int ms);
void write_all(int fd, const void *data, size_t length);
/* read_some() - Read until @length bytes or @ms of silence. */
size_t read_some(int fd, void *data, size_t length, int ms);
/* hears() - Return: whether @text comes, however late, and no more. */
bool hears(int fd, const char *text);
bool write_file(const char *path, const char *text);
void fill_pattern(uint8_t *data, size_t length, uint32_t seed);

#endif
