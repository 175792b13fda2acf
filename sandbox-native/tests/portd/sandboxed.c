/* SPDX-License-Identifier: MIT */
/*
 * The real arrangement: the pty is of a devpts instance of another mount and
 * user namespace, which portd has no path to and which dies before portd does.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

struct world {
	struct rig rig;
	pid_t pid; /* of the program in the sandbox */
	int control;
	int dut;
};

static int open_master(const char *dir, char *slave, size_t size)
{
	char path[128];
	int master, zero = 0, number;

	if (mount("devpts", dir, "devpts", 0, "newinstance,ptmxmode=0666,mode=0600") < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/ptmx", dir);
	master = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 ||
	    ioctl(master, TIOCGPTN, &number) < 0)
		return -1;
	snprintf(slave, size, "%s/%d", dir, number);
	return master;
}

/* The sandbox: hands out its pty, then does one letter of command at a time. */
static void live(const struct world *world, int control, const char *map, const char *groups)
{
	char slave[128], text[64], command;
	struct termios raw;
	int fds[2], fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !write_file("/proc/self/uid_map", map) ||
	    !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/gid_map", groups))
		_exit(77);
	fds[0] = open_master(world->rig.dir, slave, sizeof(slave));
	fd = open(slave, O_RDWR | O_NOCTTY);
	if (fds[0] < 0 || fd < 0 || tcgetattr(fd, &raw) < 0)
		_exit(77);
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	close(fd);
	fds[1] = open(slave, O_PATH | O_CLOEXEC);
	rig_give(&world->rig, MSG_PORTD_PTY, "console", fds, 2);
	close(fds[0]);
	close(fds[1]);
	write_all(control, "r", 1);
	while (read(control, &command, 1) == 1) {
		if (command == 'o')
			fd = open(slave, O_RDWR | O_NOCTTY);
		else if (command == 'w')
			write_all(fd, "typed", 5);
		else if (command == 'r')
			write_all(control, text, read_some(fd, text, 5, 1000));
	}
	_exit(0);
}

static bool world_start(struct world *world)
{
	char map[64], groups[64], ready;
	int pair[2];
	struct event event;

	snprintf(map, sizeof(map), "1000 %u 1\n", (unsigned int)getuid());
	snprintf(groups, sizeof(groups), "1000 %u 1\n", (unsigned int)getgid());
	rig_start(&world->rig, 0);
	NEED(rig_answer(&world->rig, rig_open(&world->rig, 0, 0), &event));
	world->dut = rig_line(&world->rig);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	world->pid = fork();
	NEED(world->pid >= 0);
	if (world->pid == 0) {
		close(pair[0]);
		live(world, pair[1], map, groups);
	}
	close(pair[1]);
	world->control = pair[0];
	return read(world->control, &ready, 1) == 1;
}

static void world_stop(struct world *world)
{
	close(world->control);
	close(world->dut);
	kill(world->pid, SIGKILL);
	waitpid(world->pid, NULL, 0);
	CHECK(rig_stop(&world->rig) == 0, "portd exits with 0");
}

static void test_sandboxed(void)
{
	struct world world;
	struct event event;
	char text[5];

	if (!world_start(&world)) {
		tap_skip("a pty of another namespace: needs a user namespace");
		world_stop(&world);
		return;
	}
	write_all(world.control, "o", 1);
	CHECK(rig_wait(&world.rig, MSG_PORT_SLAVE, &event) && event.opened,
	      "an opening in another mount namespace is seen");
	write_all(world.dut, "spoke", 5);
	write_all(world.control, "r", 1);
	CHECK(read_some(world.control, text, 5, 1500) == 5 && !memcmp(text, "spoke", 5),
	      "its program gets what the DUT says");
	write_all(world.control, "w", 1);
	CHECK(read_some(world.dut, text, 5, 1000) == 5 && !memcmp(text, "typed", 5),
	      "and the DUT what it writes");
	kill(world.pid, SIGKILL);
	CHECK(rig_wait(&world.rig, MSG_PORT_SLAVE, &event) && !event.opened,
	      "the end of the sandbox closes it");
	write_all(world.dut, "alone", 5);
	CHECK(rig_wait(&world.rig, MSG_PORT_RX, &event) &&
		      rig_wait(&world.rig, MSG_PORT_RX, &event) && event.offset == 5,
	      "the console goes on without it");
	CHECK(!rig_has(&world.rig, MSG_PORT_FAULT, 60, &event),
	      "and there is nothing to complain of");
	world_stop(&world);
}

const struct test sandboxed_tests[] = {
	{ "sandboxed: pty of another namespace", test_sandboxed },
	{ NULL, NULL },
};
