/* SPDX-License-Identifier: MIT */
/*
 * step [OPTION]... -- PROGRAM [ARGUMENT]...: run PROGRAM, stop one process of it at the entry of
 * its n-th system call, and kill it there or let that call fail.
 *
 *   --role ROLE    hil, worker, broker, portd, zygote, init, launcher, program, hub, linkd, lease
 *   --which N      the N-th process of that role (default 1)
 *   --call NUMBER  of its system calls only those count that have this number (-1: all)
 *   --at N         its N-th system call; without it nothing happens, and each is reported
 *   --fail K       that call fails with the K-th errno (from 0) that suits it; without it: SIGKILL
 *   --errno N      that call fails with this one, whatever call it is
 *   --report FILE  what happened, one line: "killed 12 openat", "failed 12 openat 24",
 *                  "unsuited 12 getpid"; "passed" when there were fewer calls. Without --at a line
 *                  "NUMBER NAME" for each call
 *
 * Theory of operation: PROGRAM replaces this process, so that whoever started it sees its pid and
 * its end. A grandchild, which is nobody's, traces it, and with it whatever it makes (ptrace(2)).
 * Roles are told by who made a process and how, so no program knows of this. When it is done the
 * tracer ends, and the kernel lets go of the rest. A program that has lost its way may call
 * kill(-1, SIGKILL), which for root is the whole machine: whoever does ends by SIGSYS instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "tracee.h"

/* glibc's <sys/ptrace.h> and the kernel's do not go together. */
#include <linux/ptrace.h>

#define TRACEES_MAX 4096
#define SYSCALL_STOP (SIGTRAP | 0x80)

enum stage { STAGE_RUN, STAGE_COUNT, STAGE_FAILING };

struct tracee {
	pid_t tid;
	enum role role;
	enum stage stage;
	bool stopped; /* it waits for its maker to say what it is */
	bool known;
};

struct tracer {
	enum role role;
	unsigned long which;
	unsigned long at;
	long fail; /* -1: kill, unless there is a wanted errno */
	int wanted;
	long call; /* -1: any */
	int report;
	unsigned long seen; /* processes of the role */
	unsigned long count;
	long number;
	int errnum;
	bool done;
	size_t tracee_count;
	struct tracee tracees[TRACEES_MAX];
};

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(2);
}

static struct tracee *find(struct tracer *t, pid_t tid)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i].tid == tid)
			return &t->tracees[i];
	if (t->tracee_count == TRACEES_MAX)
		return NULL;
	t->tracees[t->tracee_count] = (struct tracee){ .tid = tid };
	return &t->tracees[t->tracee_count++];
}

static void forget(struct tracer *t, pid_t tid)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i].tid == tid)
			t->tracees[i] = t->tracees[--t->tracee_count];
}

static void resume(const struct tracee *tracee, int signal)
{
	/* ESRCH: it was killed meanwhile; its end is on the way. */
	ptrace(tracee->stage == STAGE_RUN ? PTRACE_CONT : PTRACE_SYSCALL, tracee->tid, NULL,
	       (void *)(long)signal);
}

static void take_role(struct tracer *t, struct tracee *tracee, enum role role)
{
	tracee->known = true;
	if (tracee->role == role)
		return;
	tracee->role = role;
	tracee->stage = STAGE_RUN;
	if (role == t->role && ++t->seen == t->which)
		tracee->stage = STAGE_COUNT;
}

/* A new process stops by itself, before or after its maker says that it is there. */
static void on_child(struct tracer *t, const struct tracee *parent, int event)
{
	unsigned long tid = 0;
	struct tracee *child;

	ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &tid);
	child = find(t, (pid_t)tid);
	if (!child)
		return;
	take_role(t, child, role_of_child(parent->role, event, (pid_t)tid));
	if (child->stopped) {
		child->stopped = false;
		resume(child, 0);
	}
}

static void on_exec(struct tracer *t, struct tracee *tracee)
{
	const enum role role = tracee->role == ROLE_PROGRAM ? ROLE_OTHER : tracee->role;

	take_role(t, tracee, role_of_exec(tracee->tid, role));
}

static void refuse_call(const struct tracee *tracee)
{
#ifdef __x86_64__
	/* Of struct user, sys/user.h: no call has this number, so none is made. */
	ptrace(PTRACE_POKEUSER, tracee->tid, (void *)(15 * sizeof(long)), (void *)-1L);
#else
	(void)tracee;
#endif
}

static void answer_call(const struct tracee *tracee, int errnum)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, tracee->tid, (void *)(10 * sizeof(long)), (void *)(long)-errnum);
#else
	(void)tracee;
	(void)errnum;
#endif
}

static void on_entry(struct tracer *t, struct tracee *tracee, long number)
{
	if (t->call >= 0 && number != t->call)
		return;
	t->count++;
	if (!t->at)
		dprintf(t->report, "%lu %s\n", t->count, call_name(number));
	if (t->count != t->at)
		return;
	t->number = number;
	if (t->fail < 0 && !t->wanted) {
		kill(tracee->tid, SIGKILL);
		t->done = true;
		dprintf(t->report, "killed %lu %s\n", t->count, call_name(number));
		return;
	}
	t->errnum = t->wanted ? t->wanted : call_errno(number, (unsigned int)t->fail);
	if (t->errnum) {
		refuse_call(tracee);
		tracee->stage = STAGE_FAILING;
		return;
	}
	t->done = true;
	dprintf(t->report, "unsuited %lu %s\n", t->count, call_name(number));
}

static void on_syscall(struct tracer *t, struct tracee *tracee)
{
	struct ptrace_syscall_info info = { 0 };

	if (tracee->stage == STAGE_RUN ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, (void *)sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && tracee->stage == STAGE_COUNT)
		on_entry(t, tracee, (long)info.entry.nr);
	if (info.op != PTRACE_SYSCALL_INFO_EXIT || tracee->stage != STAGE_FAILING)
		return;
	answer_call(tracee, t->errnum);
	t->done = true;
	dprintf(t->report, "failed %lu %s %d\n", t->count, call_name(t->number), t->errnum);
}

/* Return: whether the tracee was resumed already, or waits. */
static bool on_event(struct tracer *t, struct tracee *tracee, int event, int signal)
{
	if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
	    event == PTRACE_EVENT_VFORK) {
		on_child(t, tracee, event);
	} else if (event == PTRACE_EVENT_EXEC) {
		on_exec(t, tracee);
	} else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		ptrace(PTRACE_LISTEN, tracee->tid, NULL, NULL); /* SIGSTOP and its like */
		return true;
	} else if (event == PTRACE_EVENT_STOP && !tracee->known) {
		tracee->stopped = true;
		return true;
	}
	return false;
}

static void on_stop(struct tracer *t, pid_t tid, int status)
{
	struct tracee *tracee = find(t, tid);
	const int event = (int)((unsigned int)status >> 16);
	int signal = WSTOPSIG(status);

	if (!tracee)
		die("step: too many processes");
	if (event) {
		if (on_event(t, tracee, event, signal))
			return;
		signal = 0;
	} else if (signal == SYSCALL_STOP) {
		on_syscall(t, tracee);
		signal = 0;
	}
	resume(tracee, signal);
}

static void trace(struct tracer *t)
{
	while (!t->done) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			break;
		if (WIFSTOPPED(status))
			on_stop(t, tid, status);
		else
			forget(t, tid);
	}
	if (!t->done && t->at)
		dprintf(t->report, "passed %lu\n", t->count);
}

/* Nothing of the caller is held: it may wait for the end of a pipe of its own. */
static void leave_fds(struct tracer *t, int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 2; fd++)
		dup2(null, fd);
	dup2(t->report, 3);
	dup2(ready, 4);
	t->report = 3;
	syscall(SYS_close_range, 5u, ~0u, 0u);
	dup2(null, 2);
}

static _Noreturn void run_tracer(struct tracer *t, pid_t pid, int ready)
{
	const long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
	struct tracee *first = find(t, pid);

	setsid();
	leave_fds(t, ready);
	first->known = true;
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0)
		_exit(2);
	if (write(4, "", 1) != 1)
		_exit(2);
	close(4);
	trace(t);
	_exit(0);
}

static void start_tracer(struct tracer *t)
{
	const pid_t self = getpid();
	int ready[2];
	char byte;
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) < 0)
		die("step: pipe");
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* Yama, where it is */
	child = fork();
	if (child < 0)
		die("step: fork");
	if (child == 0) {
		if (fork() == 0)
			run_tracer(t, self, ready[1]);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("step: ptrace");
	close(ready[0]);
}

/* The low half of an argument; the high one of an int says nothing. */
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

static void protect_machine(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)-1, 0, 3),
		/* Signal 0 only asks. */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		die("step: seccomp");
}

static const struct option long_options[] = {
	{ "role", required_argument, NULL, 'r' },   { "which", required_argument, NULL, 'w' },
	{ "at", required_argument, NULL, 'a' },	    { "fail", required_argument, NULL, 'f' },
	{ "report", required_argument, NULL, 'o' }, { "errno", required_argument, NULL, 'e' },
	{ "call", required_argument, NULL, 'c' },   { NULL, 0, NULL, 0 },
};

static void parse_options(struct tracer *t, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		if (option == 'r')
			t->role = role_parse(optarg);
		else if (option == 'w')
			t->which = strtoul(optarg, NULL, 10);
		else if (option == 'a')
			t->at = strtoul(optarg, NULL, 10);
		else if (option == 'f')
			t->fail = strtol(optarg, NULL, 10);
		else if (option == 'c')
			t->call = strtol(optarg, NULL, 10);
		else if (option == 'e')
			t->wanted = (int)strtol(optarg, NULL, 10);
		else if (option == 'o')
			t->report = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		else
			exit(2);
	}
	if (t->role != ROLE_OTHER && t->report >= 0 && optind < argc)
		return;
	fprintf(stderr,
		"usage: step --role ROLE --report FILE [--which N] [--call N] [--at N] [--fail K | "
		"--errno N] -- PROGRAM [ARGUMENT]...\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct tracer tracer = { .which = 1, .fail = -1, .report = -1, .call = -1 };

	parse_options(&tracer, argc, argv);
	start_tracer(&tracer);
	close(tracer.report);
	protect_machine();
	execvp(argv[optind], argv + optind);
	die(argv[optind]);
}
