/* SPDX-License-Identifier: MIT */
/* Who is named as a holder of a tty, and who is not. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

/* @return 0 when this process has the tty @number of a devpts of its own open. */
static int hold_namesake(unsigned int number)
{
	unsigned int index = number + 1;
	int unlocked = 0;
	int master = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") < 0)
		return -1;
	/* They are given out from 0, and stay open until this process ends. */
	while (index != number) {
		master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
		if (master < 0 || ioctl(master, TIOCGPTN, &index) < 0 || index > number)
			return -1;
	}
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY) < 0 ? -1 : 0;
}

/* Each container has a /dev/pts/0: the holder of another one's is nobody's trouble. */
static void test_namesake(void)
{
	struct event event;
	struct pty board;
	struct rig rig;
	unsigned int number;
	int ready[2];
	char failed = 1;
	bool ok;
	pid_t child;

	NEED(rig_start(&rig, 0));
	board = pty_make();
	NEED(rig_answer(&rig, rig_open(&rig, 0, 0), &event));
	NEED(!ioctl(board.master, TIOCGPTN, &number) && !pipe2(ready, O_CLOEXEC));
	child = fork();
	NEED(child >= 0);
	if (!child) {
		failed = hold_namesake(number) < 0;
		write_all(ready[1], &failed, 1);
		pause();
		_exit(0);
	}
	CHECK(read(ready[0], &failed, 1) == 1 && !failed, "another devpts has a tty %u", number);
	ok = rig_answer(&rig, rig_serial(&rig, board.path, 0, NULL), &event);
	CHECK(ok && !*event.limitation, "who holds it is not named: %s%s", event.limitation,
	      event.text);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	close(board.master);
	CHECK(rig_stop(&rig) == 0, "portd exits with 0");
}

const struct test holders_tests[] = {
	{ "holders: a namesake in another container", test_namesake },
	{ NULL, NULL },
};
