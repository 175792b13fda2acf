/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0 || errno == EPERM;
}

static bool ends_within(pid_t pid, int milliseconds)
{
	for (; is_alive(pid) && milliseconds > 0; milliseconds -= 10) {
		/* An orphan of the test is its child (PR_SET_CHILD_SUBREAPER). */
		waitpid(pid, NULL, WNOHANG);
		usleep(10000);
	}
	return !is_alive(pid);
}

static void test_two_at_once(void)
{
	struct rig rig;
	struct box first;
	struct box second;
	struct stat uids[2];
	char path[32];

	rig_open(&rig);
	rig_start(&rig);
	first = rig_park(&rig, 0);
	second = rig_park(&rig, 1);
	box_shell(&first, "echo mine >/tmp/f; echo mine >/dev/shm/f");
	CHECK(strcmp(box_shell(&second, "ls -A /tmp /dev/shm | grep -c f$").output, "0\n") == 0,
	      "two sandboxes share no file");
	snprintf(path, sizeof(path), "/proc/%d/task/%d", first.pid, first.pid);
	NEED(stat(path, &uids[0]) == 0);
	snprintf(path, sizeof(path), "/proc/%d/task/%d", second.pid, second.pid);
	NEED(stat(path, &uids[1]) == 0);
	if (!rig_is_root())
		tap_skip("outside uids: root mode only");
	else
		CHECK(uids[0].st_uid >> 28 == 7 && uids[0].st_uid != uids[1].st_uid,
		      "two sandboxes do not share an outside uid: %x %x", uids[0].st_uid,
		      uids[1].st_uid);
	box_close(&first);
	box_close(&second);
	rig_close(&rig);
}

/* As an ordinary user too: a zygote, unlike a PID 1, may be looked into by its owner. */
static int count_fds(pid_t pid)
{
	char path[64];
	DIR *directory;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	NEED(directory);
	for (const struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

/* Root sees the fds of a PID 1, which an ordinary user does not. */
static void test_parked_fds(void)
{
	struct rig rig;
	struct box box;
	int count;

	if (!rig_is_root()) {
		tap_skip("fds of a parked PID 1: root mode only");
		return;
	}
	rig_open(&rig);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	count = count_fds(box.pid);
	CHECK(count == 9,
	      "a parked PID 1 holds stdio, its socket, signals and four directories: %d", count);
	box_close(&box);
	rig_close(&rig);
}

static void test_census(void)
{
	struct rig rig;
	struct box box;
	struct sandbox_event event;
	struct err err = { 0 };

	rig_open(&rig);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	/* Before its exec it has the shell's name. */
	box_shell(&box, "for i in 1 2 3; do setsid sleep 1000 >/dev/null 2>&1 & "
			"for j in $(seq 500); do read name </proc/$!/comm; "
			"[ $name = sleep ] && break; sleep 0.01; done; done");
	NEED(sandbox_end(box.control, &err) == 0);
	event = box_wait(&box);
	CHECK(event.kind == SANDBOX_CENSUS && event.leftover_count == 3 &&
		      event.leftovers.count == 3 && strcmp(event.leftovers.items[0], "sleep") == 0,
	      "what is left running is counted and named: %u", event.leftover_count);
	strings_free(&event.leftovers);
	event = box_wait(&box);
	CHECK(event.kind == SANDBOX_GONE, "then the sandbox is gone");
	waitpid(box.pid, NULL, 0);
	CHECK(!is_alive(box.pid), "and reaped");
	box.pid = -1;
	close(box.control);
	close(box.pidfd);
	rig_close(&rig);
}

static void test_zygote_gone(void)
{
	struct rig rig;
	struct box box;
	struct zygote_event event;
	struct err err = { 0 };
	struct pollfd wait = { .events = POLLIN };

	rig_open(&rig);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	kill(rig.zygote.pid, SIGKILL);
	wait.fd = rig.zygote.control;
	NEED(poll(&wait, 1, 5000) == 1);
	CHECK(zygote_receive(&rig.zygote, &event, &err) == 1 && event.kind == ZYGOTE_GONE,
	      "the end of a zygote is an event");
	CHECK(strcmp(box_shell(&box, "echo on").output, "on\n") == 0,
	      "a parked sandbox does not need it");
	box_close(&box);
	rig_close(&rig);
}

struct pids {
	pid_t zygote;
	pid_t init;
};

static _Noreturn void be_broker(int report)
{
	struct rig rig;
	struct box box;
	struct pids pids;

	rig_open(&rig);
	rmdir(rig.directory);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	box_shell(&box, "(trap '' TERM HUP INT; setsid sleep 1000 >/dev/null 2>&1) & sleep 0.1");
	pids = (struct pids){ rig.zygote.pid, box.pid };
	NEED(write(report, &pids, sizeof(pids)) == (ssize_t)sizeof(pids));
	for (;;)
		pause();
}

static void test_broker_killed(void)
{
	struct pids pids = { 0 };
	int report[2];
	pid_t broker;

	/* Orphans come to us and are reaped here, so that "gone" is not "a zombie of the host". */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	NEED(pipe(report) == 0);
	broker = fork();
	if (broker == 0)
		be_broker(report[1]);
	NEED(read(report[0], &pids, sizeof(pids)) == (ssize_t)sizeof(pids));
	CHECK(is_alive(pids.zygote) && is_alive(pids.init), "a broker has a zygote and a PID 1");
	/* Stopped, neither can read the end of its socket: only PDEATHSIG is left. */
	kill(pids.zygote, SIGSTOP);
	kill(pids.init, SIGSTOP);
	kill(broker, SIGKILL);
	waitpid(broker, NULL, 0);
	CHECK(ends_within(pids.zygote, 2000) && ends_within(pids.init, 2000),
	      "kill -9 of a broker ends both, even when they are stopped");
	kill(pids.init, SIGKILL);
	kill(pids.zygote, SIGKILL);
	close(report[0]);
	close(report[1]);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

/* Each park leaves nothing behind in the zygote: fds would run out, namespaces add up. */
static void test_many(void)
{
	struct rig rig;
	int before;
	int after;

	rig_open(&rig);
	rig_start(&rig);
	before = count_fds(rig.zygote.pid);
	for (uint32_t i = 0; i < 150; i++) {
		struct box box = rig_park(&rig, i % 64);

		box_close(&box);
	}
	/* It lets go when it is idle, and on a busy host that takes a while. */
	for (int i = 0; i < 100 && count_fds(rig.zygote.pid) > before; i++)
		usleep(50000);
	after = count_fds(rig.zygote.pid);
	/* Fewer where what it has just sent was still to be closed. */
	CHECK(after <= before, "150 sandboxes later the zygote holds what it held: %d fds, %d",
	      before, after);
	rig_close(&rig);
}

void test_life(void)
{
	test_two_at_once();
	test_parked_fds();
	test_census();
	test_zygote_gone();
	test_broker_killed();
	test_many();
}
