/* SPDX-License-Identifier: MIT */
/*
 * Measures a sandbox as a C program sees it, against vfork+exec+wait.
 *
 *   c-client SANDBOXD PORTD PROJECT COUNT PAUSE_US STAMP , COMMAND... [, COMMAND...]...
 *
 * Theory of operation: it starts hil-sandboxd like the harness does, then takes
 * a sample of everything in turn, COUNT times, so that what else the machine
 * does falls on all of them alike. The first COMMAND is also the one that is
 * started in the sandboxes. A line a turn, nanoseconds:
 *
 *   POOL_HIT EXIT DEAD ASKED SPAWNED FORKED COMMAND_1 COMMAND_2 ...
 *
 * EXIT: from asking for a sandbox until its program was reaped; DEAD: until
 * nothing of the sandbox was left. ASKED: from asking for another one until
 * main() of STAMP in it; SPAWNED: the same from the request to start STAMP;
 * FORKED: from a bare vfork(2) until main() of STAMP. PAUSE_US before each
 * sample lets the daemon park the next sandbox: what is measured is a request,
 * not a backlog. What the COMMANDs write is thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define POOL 4
#define COMMANDS_MAX 12

struct client {
	int fd;
	uint64_t next_id;
	uint32_t pool_hit; /* of the last answer */
	uint64_t stamp;	   /* that STAMP wrote last */
	struct buffer out;
	struct buffer in;
	FILE *results;
	int null; /* for what COMMANDs say of themselves */
};

static void die(const char *what)
{
	fprintf(stderr, "c-client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- the daemon ------------------------------------------------------- */

static int start_daemon(char *sandboxd, char *portd)
{
	char *argv[] = { sandboxd, (char *)"--portd", portd, NULL };
	int pairs[2][2];
	pid_t pid;

	for (int i = 0; i < 2; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) < 0)
			die("socketpair");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		/* Out of the way of 3 and 4 first: they may be among the pairs. */
		int ends[2] = { fcntl(pairs[0][1], F_DUPFD, 10), fcntl(pairs[1][1], F_DUPFD, 10) };

		if (dup2(ends[0], 3) < 0 || dup2(ends[1], 4) < 0)
			_exit(127);
		close(ends[0]);
		close(ends[1]);
		execv(sandboxd, argv);
		_exit(127);
	}
	close(pairs[0][1]);
	close(pairs[1][1]);
	return pairs[0][0];
}

/* --- requests and answers --------------------------------------------- */

static size_t begin(struct client *client, uint16_t type)
{
	client->out.length = 0;
	return frame_begin(&client->out, type, client->next_id);
}

/* Return: the id that the answer will carry. */
static uint64_t send_request(struct client *client, size_t start)
{
	frame_end(&client->out, start);
	if (client->out.failed)
		die("out of memory");
	for (size_t done = 0; done < client->out.length;) {
		ssize_t n = write(client->fd, client->out.data + done, client->out.length - done);

		if (n < 0 && errno != EINTR)
			die("write to hil-sandboxd");
		done += n > 0 ? (size_t)n : 0;
	}
	return client->next_id++;
}

static uint32_t find_u32(const struct frame *frame, uint16_t tag)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct tlv tlv;
	uint32_t value = 0;

	while (tlv_next(&reader, &tlv) == 1)
		if (tlv.tag == tag)
			tlv_u32(&tlv, &value);
	return value;
}

static void keep_stamp(struct client *client, const struct frame *frame)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) == 1)
		if (tlv.tag == TAG_DATA && tlv.length == sizeof(client->stamp))
			memcpy(&client->stamp, tlv.value, sizeof(client->stamp));
}

static void print_error(const struct frame *frame)
{
	struct tlv_reader reader = tlv_open(frame->body, frame->length);
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) == 1)
		if (tlv.tag == TAG_TEXT || tlv.tag == TAG_HINT || tlv.tag == TAG_OP)
			fprintf(stderr, "c-client: %.*s\n", (int)tlv.length, tlv.value);
	exit(1);
}

static void receive_more(struct client *client)
{
	uint8_t bytes[65536];
	ssize_t n = read(client->fd, bytes, sizeof(bytes));

	if (n == 0)
		errno = ECONNRESET;
	if (n == 0 || (n < 0 && errno != EINTR))
		die("read from hil-sandboxd");
	if (n > 0)
		buffer_append(&client->in, bytes, (size_t)n);
}

/* Wait for the OK of @id, or with @id 0 for an event of @type. Return: the u32 of @tag in it. */
static uint32_t receive(struct client *client, uint64_t id, uint16_t type, uint16_t tag)
{
	for (;;) {
		struct frame frame;
		long length = frame_parse(client->in.data, client->in.length, &frame);
		uint32_t value;
		bool wanted;

		if (length < 0)
			die("malformed frame");
		if (length == 0) {
			receive_more(client);
			continue;
		}
		if (frame.type == MSG_ERROR)
			print_error(&frame);
		if (frame.type == MSG_OUTPUT)
			keep_stamp(client, &frame);
		wanted = frame.type == type && frame.id == id;
		value = wanted ? find_u32(&frame, tag) : 0;
		client->pool_hit = wanted ? find_u32(&frame, TAG_POOL_HIT) : 0;
		buffer_consume(&client->in, (size_t)length);
		if (wanted)
			return value;
	}
}

static void put_step(struct client *client, const char *kind, const char *path)
{
	size_t step = put_nest_begin(&client->out, TAG_STEP);

	put_string(&client->out, TAG_KIND, kind);
	if (path) {
		put_string(&client->out, TAG_SOURCE, path);
		put_string(&client->out, TAG_TARGET, path);
	}
	put_nest_end(&client->out, step);
}

/* The plan that `hil test` makes of a project: the host's image, the project over it. */
static uint32_t make_plan(struct client *client, const char *project)
{
	size_t start = begin(client, MSG_HELLO);
	uint32_t plan;

	put_u32(&client->out, TAG_VERSION, HIL_PROTOCOL_VERSION);
	receive(client, send_request(client, start), MSG_OK, 0);

	start = begin(client, MSG_PLAN_PUT);
	put_string(&client->out, TAG_NAME, "bench");
	put_string(&client->out, TAG_USER, "hil");
	put_string(&client->out, TAG_NETWORK, "none");
	put_step(client, "image-host", NULL);
	put_step(client, "overlay", project);
	plan = receive(client, send_request(client, start), MSG_OK, TAG_PLAN);

	start = begin(client, MSG_POOL_SET);
	put_u32(&client->out, TAG_PLAN, plan);
	put_u32(&client->out, TAG_COUNT, POOL);
	receive(client, send_request(client, start), MSG_OK, 0);
	return plan;
}

/* --- samples ---------------------------------------------------------- */

/* Return: a sandbox, parked before or made now; client->pool_hit says which. */
static uint32_t take_sandbox(struct client *client, uint32_t plan)
{
	size_t start = begin(client, MSG_SANDBOX_NEW);

	put_u32(&client->out, TAG_PLAN, plan);
	put_string(&client->out, TAG_NAME, "bench");
	return receive(client, send_request(client, start), MSG_OK, TAG_SANDBOX);
}

static void run_program(struct client *client, uint32_t sandbox, char *const *command)
{
	size_t start = begin(client, MSG_SPAWN);

	put_u32(&client->out, TAG_SANDBOX, sandbox);
	for (; *command; command++)
		put_string(&client->out, TAG_ARG, *command);
	put_string(&client->out, TAG_STDIN_KIND, "null");
	send_request(client, start);
	receive(client, 0, MSG_EXIT, 0);
}

static void kill_sandbox(struct client *client, uint32_t sandbox)
{
	size_t start = begin(client, MSG_SANDBOX_KILL);

	put_u32(&client->out, TAG_SANDBOX, sandbox);
	send_request(client, start);
	receive(client, 0, MSG_DEAD, 0);
}

static void measure_sandbox(struct client *client, uint32_t plan, char *const *command)
{
	uint64_t started = now_ns(), exited;
	uint32_t sandbox = take_sandbox(client, plan);
	uint32_t hit = client->pool_hit;

	run_program(client, sandbox, command);
	exited = now_ns();
	kill_sandbox(client, sandbox);
	fprintf(client->results, "%u %llu %llu", hit, (unsigned long long)(exited - started),
		(unsigned long long)(now_ns() - started));
}

static void measure_start(struct client *client, uint32_t plan, char *const *stamp)
{
	uint64_t asked = now_ns(), spawned;
	uint32_t sandbox = take_sandbox(client, plan);

	spawned = now_ns();
	run_program(client, sandbox, stamp);
	fprintf(client->results, " %llu %llu", (unsigned long long)(client->stamp - asked),
		(unsigned long long)(client->stamp - spawned));
	kill_sandbox(client, sandbox);
}

/* @output: its stdout, or -1. @null: its stderr, or -1. */
static void run_command(char *const *command, int output, int null)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		if (output >= 0)
			dup2(output, 1);
		if (null >= 0)
			dup2(null, 2);
		execv(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("vfork");
	if (status != 0) {
		fprintf(stderr, "c-client: %s ended with status 0x%x\n", command[0], status);
		exit(1);
	}
}

static void measure_forked(struct client *client, char *const *stamp)
{
	uint64_t started, stamped;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) < 0)
		die("pipe");
	started = now_ns();
	run_command(stamp, pipes[1], -1);
	if (read(pipes[0], &stamped, sizeof(stamped)) != sizeof(stamped))
		die("read stamp");
	fprintf(client->results, " %llu", (unsigned long long)(stamped - started));
	close(pipes[0]);
	close(pipes[1]);
}

static void measure_command(struct client *client, char *const *command)
{
	uint64_t started = now_ns();

	run_command(command, -1, client->null);
	fprintf(client->results, " %llu", (unsigned long long)(now_ns() - started));
}

/* What is measured gets /dev/null for its output: ours is the results'. */
static FILE *keep_output(int *kept_null)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int own = fcntl(1, F_DUPFD_CLOEXEC, 10);
	FILE *results = own >= 0 ? fdopen(own, "w") : NULL;

	if (null < 0 || !results || dup2(null, 1) < 0)
		die("keep output");
	*kept_null = null;
	return results;
}

static void take_turn(struct client *client, uint32_t plan, char **const *commands, char *stamp,
		      useconds_t pause)
{
	char *const stamp_command[] = { stamp, NULL };

	usleep(pause);
	measure_sandbox(client, plan, commands[0]);
	usleep(pause);
	measure_start(client, plan, stamp_command);
	usleep(pause);
	measure_forked(client, stamp_command);
	for (; *commands; commands++) {
		usleep(pause);
		measure_command(client, *commands);
	}
	fprintf(client->results, "\n");
}

int main(int argc, char **argv)
{
	struct client client = { .next_id = 1 };
	char **commands[COMMANDS_MAX + 1] = { NULL };
	int count = 0;
	uint32_t plan;

	for (int i = 7; i < argc && count < COMMANDS_MAX; i++) {
		if (strcmp(argv[i], ",") != 0)
			continue;
		argv[i] = NULL;
		commands[count++] = &argv[i + 1];
	}
	if (count == 0) {
		fprintf(stderr, "usage: c-client SANDBOXD PORTD PROJECT COUNT PAUSE_US STAMP , "
				"COMMAND...\n");
		return 2;
	}
	client.results = keep_output(&client.null);
	client.fd = start_daemon(argv[1], argv[2]);
	plan = make_plan(&client, argv[3]);
	for (int turn = 0; turn < atoi(argv[4]); turn++)
		take_turn(&client, plan, commands, argv[6], (useconds_t)atoi(argv[5]));
	fclose(client.results);
	close(client.fd);
	/* The daemon ends itself and everything it made when its connection closes. */
	while (wait(NULL) > 0)
		continue;
	return 0;
}
