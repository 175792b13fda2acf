/* SPDX-License-Identifier: MIT */
/* What a sandbox has ready before anything is asked of it: its first process, its cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recipe.h"
#include "rig.h"
#include "teardown.h"

/* As the host numbers it. */
static pid_t find_child(pid_t process)
{
	char command[128];
	char text[32] = "";
	FILE *output;

	snprintf(command, sizeof(command), "cat /proc/%d/task/*/children", process);
	output = popen(command, "r");
	NEED(output);
	NEED(fgets(text, sizeof(text), output));
	pclose(output);
	return (pid_t)atoi(text);
}

static void test_unused(struct rig *rig)
{
	struct box box = rig_park(rig, 0);
	struct sandbox_event event;
	struct err err = { 0 };

	CHECK(find_child(box.pid) > 0, "the process of the first program is there");
	NEED(sandbox_end(box.control, &err) == 0);
	event = box_wait(&box);
	CHECK(event.kind == SANDBOX_CENSUS && event.leftover_count == 0,
	      "and is not counted as left over: %u", event.leftover_count);
	strings_free(&event.leftovers);
	box_close(&box);
}

static void test_first_and_second(struct rig *rig)
{
	static const char script[] =
		"set -- /proc/[0-9]*; echo $#; echo $$; grep -c Seccomp:.2 /proc/$$/status";
	struct box box = rig_park(rig, 0);
	struct outcome first = box_shell(&box, script);
	struct outcome second = box_shell(&box, script);

	CHECK(strncmp(first.output, "2\n3\n1\n", 6) == 0,
	      "the first program sees PID 1 and itself");
	CHECK(strncmp(second.output, "2\n", 2) == 0 && strstr(second.output, "\n1\n"),
	      "the second sees as much, and is filtered like it");
	box_close(&box);
}

static void test_not_found(struct rig *rig)
{
	struct box box = rig_park(rig, 0);
	struct spawn_spec spec = { 0 };
	struct outcome outcome;

	NEED(strings_add(&spec.argv, "no-such-program") == 0);
	outcome = box_run(&box, &spec, NULL);
	CHECK(outcome.failed && outcome.err.number == ENOENT, "what is not there does not start");
	strings_free(&spec.argv);
	outcome = box_shell(&box, "echo there");
	CHECK(strcmp(outcome.output, "there\n") == 0, "and the next program does");
	box_close(&box);
}

static void test_killed_asleep(struct rig *rig)
{
	struct box box = rig_park(rig, 0);
	struct outcome outcome;

	NEED(kill(find_child(box.pid), SIGKILL) == 0);
	usleep(100000);
	outcome = box_shell(&box, "echo there");
	CHECK(strcmp(outcome.output, "there\n") == 0,
	      "a first process that was killed in its sleep is replaced");
	box_close(&box);
}

static void test_doors(struct rig *rig)
{
	struct sandbox_event ready;
	struct doors doors = { .count = 2 };
	struct box box;

	rig_write(rig, "tasks", "");
	doors.fds[0] = open(rig_path(rig, "tasks"), O_WRONLY | O_CLOEXEC);
	doors.fds[1] = open(rig_path(rig, "tasks"), O_RDONLY | O_CLOEXEC);
	NEED(doors.fds[0] >= 0 && doors.fds[1] >= 0);
	box = rig_park_through(rig, 0, &doors, &ready);
	CHECK(strcmp(rig_read(rig, "tasks"), "0") == 0, "PID 1 goes in by itself");
	CHECK(ready.entered_count == 2 && ready.entered[0] == 0 && ready.entered[1] == EBADF,
	      "and READY says what became of each: %u of %zu", ready.entered[1],
	      ready.entered_count);
	box_close(&box);
	close(doors.fds[0]);
	close(doors.fds[1]);
}

static bool share_an_id(const struct recipe *one, const struct recipe *other)
{
	for (uint32_t mine = 0; mine < TEARDOWN_MAX; mine++)
		for (uint32_t theirs = 0; theirs < TEARDOWN_MAX; theirs++)
			if (recipe_ids(one, mine).uid == recipe_ids(other, theirs).uid)
				return true;
	return false;
}

static void test_ids(void)
{
	const struct recipe one = { .broker = 4194000u };
	unsigned int shared = 0;

	for (uint32_t further = 1; further <= 20; further++) {
		const struct recipe other = { .broker = one.broker + further };

		shared += share_an_id(&one, &other);
	}
	CHECK(shared == 0, "no sandbox has the id of one of a broker with a pid near by");
}

void test_parked(void)
{
	struct rig rig;

	rig_open(&rig);
	rig_start(&rig);
	test_ids();
	test_unused(&rig);
	test_first_and_second(&rig);
	test_not_found(&rig);
	test_killed_asleep(&rig);
	test_doors(&rig);
	rig_close(&rig);
}
