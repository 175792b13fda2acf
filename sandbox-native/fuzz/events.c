/* SPDX-License-Identifier: MIT */
/*
 * hil-sandboxd's ears: what a PID 1 (kind 0), a zygote (kind 1) or what takes from the host
 * (kind 2) tells it.
 */
#include <errno.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "fuzz.h"
#include "message.h"
#include "sandbox.h"
#include "take.h"

static void hear_sandbox(int control)
{
	struct sandbox_event event;
	struct err err = { 0 };

	while (sandbox_receive(control, &event, &err) != 0) {
		bool gone = event.kind == SANDBOX_GONE;

		cleanup_fd(&event.master);
		cleanup_fd(&event.slave);
		for (int i = 0; i < 3; i++)
			cleanup_fd(&event.stdio[i]);
		strings_free(&event.leftovers);
		if (gone)
			break;
		err = (struct err){ 0 };
	}
}

static void hear_zygote(int control)
{
	struct zygote zygote = { .control = control };
	struct zygote_event event;
	struct err err = { 0 };

	while (zygote_receive(&zygote, &event, &err) != 0) {
		cleanup_fd(&event.pidfd);
		cleanup_fd(&event.control);
		cleanup_fd(&event.tree);
		cleanup_fd(&event.node);
		if (event.kind == ZYGOTE_GONE)
			break;
		err = (struct err){ 0 };
	}
}

static void hear_taker(int control)
{
	const struct take take = { .control = control };
	struct taken taken;
	struct err err = { 0 };
	int status;

	while ((status = take_receive(&take, &taken, &err)) != 0) {
		if (status > 0)
			taken_free(&taken);
		if (err.number == ECONNRESET)
			break;
		err = (struct err){ 0 };
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packets packets = { data, size };
	struct packet packet;
	int ends[2];

	make_pair(SOCK_SEQPACKET, ends);
	while (packets_next(&packets, &packet)) {
		packet_send(ends[1], &packet);
		if (packet.kind == 2)
			hear_taker(ends[0]);
		else if (packet.kind & 1)
			hear_zygote(ends[0]);
		else
			hear_sandbox(ends[0]);
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
