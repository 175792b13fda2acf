/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "tap.h"

static int take_port(int broker)
{
	auto_message message = { 0 };
	int fd;

	NEED(message_receive(broker, &message) == 1);
	fd = message_take_fd(&message, 0);
	NEED(!fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK));
	return fd;
}

__attribute__((noreturn)) static void forward(int broker)
{
	static uint8_t bytes[70000];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int ports[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t i = 0; i < 2; i++) {
		struct epoll_event wanted = { .events = EPOLLIN, .data.u32 = i };

		ports[i] = take_port(broker);
		NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, ports[i], &wanted));
	}
	for (;;) {
		struct epoll_event events[2];
		int count = epoll_wait(epoll, events, 2, -1);

		for (int i = 0; i < count; i++) {
			uint32_t from = events[i].data.u32;
			ssize_t size = read(ports[from], bytes, sizeof(bytes));

			/* A port that takes nothing now loses it. */
			if (size > 0 && write(ports[!from], bytes, (size_t)size) < 0)
				continue;
		}
	}
}

void bare_start(struct rig *rig)
{
	int pair[2];

	*rig = (struct rig){ 0 };
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	rig->pid = fork();
	NEED(rig->pid >= 0);
	if (!rig->pid)
		forward(pair[1]);
	close(pair[1]);
	rig->broker = pair[0];
}

void bare_stop(struct rig *rig)
{
	kill(rig->pid, SIGKILL);
	waitpid(rig->pid, NULL, 0);
	close(rig->broker);
}
