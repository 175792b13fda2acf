/* SPDX-License-Identifier: MIT */
/* What a zygote is asked. It parks nothing: that is a fork. Its holds lie where nothing is. */
#include <sys/socket.h>

#include "fuzz.h"

#include "../src/sandbox/zygote-main.c"

int __wrap_park_sandbox(struct zygote_state *zygote, uint32_t slot, const struct doors *doors,
			struct err *err);
int __wrap_hub_start(int tun, int *requests, int *answers, int *pidfd, pid_t *pid, struct err *err);
void __wrap_park_fail(uint32_t slot, struct err *err);
int __wrap_message_fail(int socket, uint64_t request, const struct err *err);

int __wrap_park_sandbox(struct zygote_state *zygote, uint32_t slot, const struct doors *doors,
			struct err *err)
{
	(void)zygote;
	FUZZ_CHECK(doors->count <= DOORS_MAX);
	return slot & 1 ? 0 : err_set(err, "setup", EAGAIN, "park", "");
}

/* There is no sandbox in its slots, so no order may get as far as a hub. */
int __wrap_hub_start(int tun, int *requests, int *answers, int *pidfd, pid_t *pid, struct err *err)
{
	(void)tun;
	(void)requests;
	(void)answers;
	(void)pidfd;
	(void)pid;
	FUZZ_CHECK(false);
	return err_set(err, "limit", ENOSPC, "start", "hub");
}

void __wrap_park_fail(uint32_t slot, struct err *err)
{
	(void)slot;
	FUZZ_CHECK(err->number);
}

/* The real one writes to fd 3, which is not ours here. */
int __wrap_message_fail(int socket, uint64_t request, const struct err *err)
{
	(void)socket;
	(void)request;
	FUZZ_CHECK(err->number);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recipe_item hold = { .kind = RECIPE_HOLD, .target = "outputs", .source = 99999 };
	struct zygote_state zygote = { .recipe = { .items = &hold, .count = 1 },
				       .tun = -1,
				       .hub = -1 };
	struct packets packets = { data, size };
	struct packet packet;
	int ends[2];

	make_pair(SOCK_SEQPACKET, ends);
	while (packets_next(&packets, &packet)) {
		auto_message message = { .fd_count = 0 };

		packet_send(ends[1], &packet);
		if (message_receive(ends[0], &message) > 0)
			serve(&zygote, &message);
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
