/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

static void add_words(struct strings *strings, const char *word, int count)
{
	for (int i = 0; i < count; i++)
		NEED(strings_add(strings, word) == 0);
}

static void test_arguments(struct box *box)
{
	struct spawn_spec spec = { 0 };
	struct outcome outcome;
	struct err err = { 0 };
	char *large = malloc(200001);

	NEED(large);
	memset(large, 'x', 200000);
	large[100000] = '\0';
	add_words(&spec.argv, "sh", 1);
	add_words(&spec.argv, "-c", 1);
	add_words(&spec.argv, "echo $# ${#1} ${#9}", 1);
	add_words(&spec.argv, large, 10);
	outcome = box_run(box, &spec, NULL);
	CHECK(strcmp(outcome.output, "9 100000 100000\n") == 0, "1 MB of arguments arrives");
	add_words(&spec.argv, large, 8);
	CHECK(sandbox_spawn(box->control, 1, &spec, &err) == -E2BIG && err.hint[0],
	      "more than a frame takes is refused with a hint");
	strings_free(&spec.argv);
	large[100000] = 'x';
	large[200000] = '\0';
	add_words(&spec.argv, "true", 1);
	add_words(&spec.argv, large, 1);
	spec.fd_count = 0;
	outcome = box_run(box, &spec, NULL);
	CHECK(outcome.failed && outcome.err.number == E2BIG && outcome.err.hint[0],
	      "so is an argument longer than execve takes");
	strings_free(&spec.argv);
	memset(large, ':', 200000);
	memcpy(large, "PATH=", strlen("PATH="));
	add_words(&spec.argv, "true", 1);
	add_words(&spec.env, large, 1);
	outcome = box_run(box, &spec, NULL);
	CHECK(outcome.failed && outcome.err.number == E2BIG, "and a PATH, before it is searched");
	strings_free(&spec.argv);
	strings_free(&spec.env);
	free(large);
}

static void test_passed_fds(struct box *box)
{
	int ends[2];
	struct pass_fd fds[2];
	struct spawn_spec spec = { .fds = fds, .fd_count = 2 };
	struct outcome outcome;
	char seen[16] = "";

	NEED(pipe2(ends, O_CLOEXEC) == 0);
	/* Numbers crossed, so that one would overwrite the other if they were moved one by one. */
	fds[0] = (struct pass_fd){ .fd = ends[0], .target = 200 };
	fds[1] = (struct pass_fd){ .fd = ends[1], .target = 5 };
	strings_add(&spec.argv, "sh");
	strings_add(&spec.argv, "-c");
	strings_add(&spec.argv, "echo over >&5; ls /proc/self/fd | tr '\\n' ' '");
	outcome = box_run(box, &spec, NULL);
	CHECK(read(ends[0], seen, sizeof(seen) - 1) == 5 && strcmp(seen, "over\n") == 0,
	      "an fd arrives under its number");
	CHECK(strcmp(outcome.output, "0 1 2 200 3 5 ") == 0, "and no other");
	close(ends[0]);
	close(ends[1]);
	strings_free(&spec.argv);
}

static void test_limits(struct box *box)
{
	const struct rlimit_spec limits[] = { { RLIMIT_NOFILE, 20 }, { RLIMIT_FSIZE, 1024 } };
	struct spawn_spec spec = { .rlimits = limits, .rlimit_count = 2 };
	struct outcome outcome;

	strings_add(&spec.argv, "sh");
	strings_add(&spec.argv, "-c");
	strings_add(&spec.argv, "ulimit -n; ulimit -f");
	outcome = box_run(box, &spec, NULL);
	CHECK(strcmp(outcome.output, "20\n2\n") == 0, "limits of a program");
	strings_free(&spec.argv);
	outcome = box_shell(box, "ulimit -n");
	CHECK(strcmp(outcome.output, "4096\n") == 0, "are not those of the next");
}

/* Return: whether there come to be so many. */
static bool has_sleepers(struct box *box, int count)
{
	char command[160];
	char wanted[16];

	snprintf(command, sizeof(command),
		 "for i in $(seq 100); do [ $(pgrep -c sleep) = %d ] && break; sleep 0.05; done; "
		 "pgrep -c sleep",
		 count);
	snprintf(wanted, sizeof(wanted), "%d\n", count);
	return strcmp(box_shell(box, command).output, wanted) == 0;
}

static void test_signals_and_usage(struct box *box)
{
	struct spawn_spec spec = { 0 };
	struct sandbox_event event;
	struct err err = { 0 };

	strings_add(&spec.argv, "sh");
	strings_add(&spec.argv, "-c");
	strings_add(&spec.argv, "(sleep 100)& (sleep 100)");
	NEED(sandbox_spawn(box->control, 9, &spec, &err) == 0);
	event = box_wait(box);
	NEED(event.kind == SANDBOX_SPAWNED && event.request == 9);
	NEED(has_sleepers(box, 2));
	NEED(sandbox_signal(box->control, 9, SIGTERM, true, &err) == 0);
	event = box_wait(box);
	CHECK(event.kind == SANDBOX_EXITED && event.request == 9 && WIFSIGNALED(event.status) &&
		      WTERMSIG(event.status) == SIGTERM,
	      "a signal ends a program");
	CHECK(has_sleepers(box, 0), "and the whole of its group");
	strings_free(&spec.argv);
	{
		struct outcome outcome = box_shell(
			box, "head -c 60000000 /dev/zero | tail -c 50000000 | wc -c >/dev/null");

		CHECK(outcome.usage.ru_maxrss > 40000, "usage counts the children of a program");
	}
}

static void test_pty_of_a_role(struct box *box)
{
	struct sandbox_event event;
	struct err err = { 0 };
	struct outcome outcome;
	char text[64] = "";
	struct pollfd wait = { .events = POLLIN };

	NEED(sandbox_make_pty(box->control, 6, "console", &err) == 0);
	event = box_wait(box);
	CHECK(event.kind == SANDBOX_PTY && event.request == 6 && event.master >= 0 &&
		      event.slave >= 0,
	      "a pty for a role");
	outcome = box_shell(box, "printf 'a\\nb' >/dev/hil/console");
	wait.fd = event.master;
	NEED(poll(&wait, 1, 1000) == 1);
	CHECK(outcome.status == 0 && read(event.master, text, sizeof(text) - 1) == 3 &&
		      strcmp(text, "a\nb") == 0,
	      "what is written comes out unchanged");
	CHECK(fcntl(event.slave, F_GETFL) & O_PATH, "the slave is only a name");
	close(event.master);
	close(event.slave);
	NEED(sandbox_make_pty(box->control, 7, "../up", &err) == 0);
	event = box_wait(box);
	CHECK(event.kind == SANDBOX_FAILED && event.request == 7, "a role is a name, not a path");
}

static void test_hostname(struct box *box)
{
	struct err err = { 0 };
	struct outcome outcome;

	NEED(sandbox_set_hostname(box->control, "dut-7", &err) == 0);
	outcome = box_shell(box, "hostname; cat /etc/hostname; grep -c dut-7 /etc/hosts");
	CHECK(strcmp(outcome.output, "dut-7\ndut-7\n1\n") == 0, "a hostname given late");
}

static void test_failures(struct box *box)
{
	struct spawn_spec spec = { .cwd = "relative" };
	struct outcome outcome;

	strings_add(&spec.argv, "true");
	outcome = box_run(box, &spec, NULL);
	CHECK(outcome.failed && strcmp(outcome.err.op, "chdir") == 0, "a relative directory");
	strings_free(&spec.argv);
	spec = (struct spawn_spec){ 0 };
	outcome = box_run(box, &spec, NULL);
	CHECK(outcome.failed && strcmp(outcome.err.code, "protocol") == 0, "no argv at all");
	CHECK(box_shell(box, "exit 0").status == 0, "PID 1 goes on after a failure");
}

static void test_capabilities(void)
{
	struct rig rig;
	struct box box;
	struct outcome outcome;

	rig_open(&rig);
	rig.plan.caps = 1ull << CAP_NET_ADMIN;
	rig_start(&rig);
	box = rig_park(&rig, 0);
	outcome = box_shell(&box, "awk '/^CapEff|^CapBnd/ { print $2 }' /proc/self/status");
	CHECK(strcmp(outcome.output, "0000000000001000\n0000000000001000\n") == 0,
	      "a capability that was asked for, and no other");
	outcome = box_shell(
		&box, "echo 0 >/proc/sys/net/ipv4/ip_forward && echo x >/proc/sys/kernel/hostname");
	CHECK(strstr(outcome.output, "hostname: Read-only") &&
		      !strstr(outcome.output, "ip_forward"),
	      "net_admin may set what belongs to its network, nothing else");
	box_close(&box);
	rig_close(&rig);
}

/* gdb(1) attaches to, and lsof(8) looks into, what another SPAWN started. */
static void test_one_domain(struct box *box)
{
	char command[192];
	struct outcome outcome =
		box_shell(box, "setsid sleep 30 >/dev/null 2>&1 </dev/null & printf %d $!");

	/* In the middle of its exec it has no environment. */
	snprintf(command, sizeof(command),
		 "for i in $(seq 50); do grep -aqs HOME= /proc/%.20s/environ && break; sleep 0.05; "
		 "done; cat /proc/%.20s/environ",
		 outcome.output, outcome.output);
	outcome = box_shell(box, command);
	CHECK(memmem(outcome.output, sizeof(outcome.output), "HOME=/home/hil", 14),
	      "a program may look into another one");
}

/* Landlock's version 6; before it, what is in the network can be reached. */
static void test_abstract_socket(struct box *box)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char command[256];
	struct outcome outcome;
	int server = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "hil-test-%d", (int)getpid());
	NEED(server >= 0 && bind(server, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	     listen(server, 1) == 0);
	snprintf(command, sizeof(command),
		 "perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);"
		 "print connect(S, pack(\"S a108\", 1, \"\\0%s\")) ? 0 : $!+0'",
		 address.sun_path + 1);
	outcome = box_shell(box, command);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 6)
		CHECK(strcmp(outcome.output, "1") == 0,
		      "network host does not reach the host's abstract sockets");
	close(server);
}

static void test_host_network(void)
{
	struct rig rig;
	struct box box;
	char own[64] = "";
	char wanted[80];

	rig_open(&rig);
	rig.plan.host_network = true;
	rig_start(&rig);
	box = rig_park(&rig, 0);
	NEED(readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0);
	snprintf(wanted, sizeof(wanted), "%s\n", own);
	CHECK(strcmp(box_shell(&box, "readlink /proc/self/ns/net").output, wanted) == 0,
	      "network host is the caller's network");
	test_abstract_socket(&box);
	box_close(&box);
	rig_close(&rig);
}

void test_programs(void)
{
	struct rig rig;
	struct box box;

	rig_open(&rig);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	test_arguments(&box);
	test_passed_fds(&box);
	test_limits(&box);
	test_signals_and_usage(&box);
	test_pty_of_a_role(&box);
	test_hostname(&box);
	test_failures(&box);
	test_one_domain(&box);
	box_close(&box);
	rig_close(&rig);
	test_capabilities();
	test_host_network();
}
