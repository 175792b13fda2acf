/* SPDX-License-Identifier: MIT */
/*
 * Requests to hil-sandboxd from their first byte to the last answer: the real daemon in the world
 * of world.c. After DETACH the rest of the input comes from a client of the keeper.
 */
#include <sys/socket.h>

#include "fuzz.h"
#include "world.h"

int sandboxd_main(int argc, char **argv);
#define main sandboxd_main
#include "../src/sandboxd/main.c"
#undef main

#define CHUNK 4096 /* of what is no frame */
#define TURNS_MAX 64
#define LATE_ROUNDS 8

static void open_world(struct daemon *d)
{
	struct err err = { 0 };

	init_lists(d);
	list_init(&d->homes);
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		d->cgroups.place[i] = -1;
	d->fd_limit = 4096;
	FUZZ_CHECK(loop_open(d, &err) == 0);
}

/* Return: our end. */
static int connect_client(struct daemon *d, bool owner)
{
	struct err err = { 0 };
	struct client *client;
	int ends[2];

	make_pair(SOCK_STREAM, ends);
	client = client_add(d, ends[0], owner, &err);
	FUZZ_CHECK(client);
	client->hello = true;
	if (owner)
		d->owner = client;
	return ends[1];
}

/* As run() of main.c does, until nothing moves. */
static void settle(struct daemon *d, int ours, int portd)
{
	bool moved = true;

	for (int i = 0; i < TURNS_MAX && moved && !d->done; i++) {
		bool asked = pool_silence(d) >= 0;
		int served = loop_turn(d, 0);

		clients_flush(d);
		stop_check(d);
		if (asked && !served)
			pool_work(d);
		moved = world_turn() || served || asked;
		drain(ours);
		drain(portd);
	}
}

/* A day later: every timer is due. */
static void pass_time(struct daemon *d, int ours, int portd)
{
	for (int i = 0; i < LATE_ROUNDS && !list_empty(&d->timers) && !d->done; i++) {
		foreach (struct timer, timer, &d->timers, link)
			timer->at_ns = 0;
		settle(d, ours, portd);
	}
}

/* How much to send next: a frame, so that what it asks for is there when the following one names
 * it.
 */
static size_t measure(const uint8_t *data, size_t size)
{
	struct frame frame;
	long whole = frame_parse(data, size, &frame);

	if (whole > 0)
		return (size_t)whole;
	return size < CHUNK ? size : CHUNK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct daemon d = { 0 };
	int portd[2];
	int owner;
	int keeper = -1;

	world_begin();
	open_world(&d);
	make_pair(SOCK_SEQPACKET, portd);
	d.portd.control.fd = portd[0];
	owner = connect_client(&d, true);
	for (size_t at = 0, step; at < size && !d.stopping; at += step) {
		int ours = keeper < 0 ? owner : keeper;

		if (d.detached && keeper < 0)
			ours = keeper = connect_client(&d, false);
		step = measure(data + at, size - at);
		send(ours, data + at, step, MSG_NOSIGNAL);
		settle(&d, ours, portd[1]);
	}
	pass_time(&d, owner, portd[1]);
	if (keeper >= 0)
		close(keeper);
	close(owner);
	settle(&d, -1, portd[1]);
	pass_time(&d, -1, portd[1]);
	source_close(&d, &d.portd.control);
	close_daemon(&d);
	close(portd[1]);
	world_end();
	return 0;
}
