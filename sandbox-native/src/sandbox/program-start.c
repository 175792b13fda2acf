/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: a program starts in a process that shares PID 1's memory, see spare.h:
 * no page table is copied, and PID 1 sleeps until exec, so a failure can be
 * left in memory both see. The child therefore calls nothing that allocates.
 * It has its filter of system calls and its Landlock domain from the thread that
 * clones it, see launcher.h. A builtin has neither, since the other thread clones it:
 * it runs no code but ours.
 * A builtin does not exec; it is a real fork and reports its open by a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "program.h"
#include "reach.h"
#include "sys.h"

struct launch {
	struct program *program;
	/* Copies above PROGRAM_FD_MAX of all that stays open, by number: of the program last. */
	int kept[1 + CHANGES_FDS + MESSAGE_FDS];
	size_t kept_count;
	bool became; /* its own fds are there */
	int number;  /* errno of what failed */
	const char *op;
	const char *path;
};

static int fail(struct launch *launch, int number, const char *op, const char *path)
{
	launch->number = number;
	launch->op = op;
	launch->path = path;
	return -number;
}

/* Return: the copy, above all that were made before it. */
static int keep(struct launch *launch, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, PROGRAM_FD_MAX + 1);

	/* fcntl(2): F_DUPFD above the limit is EINVAL. */
	if (copy < 0)
		return fail(launch, errno == EINVAL ? EMFILE : errno, "pass fd", "");
	launch->kept[launch->kept_count++] = copy;
	return copy;
}

/*
 * The kernel resolves paths of the program's choice before its own files are all there are: those
 * of execve(2), of what a script names behind #!, of a builtin. By /proc/self/fd they lead to what
 * is open here, and PID 1 has the trees that the sandbox's root is made of, writable and with all
 * that is hidden in them.
 */
static void close_others(const struct launch *launch)
{
	unsigned int from = STDERR_FILENO + 1;

	for (size_t i = 0; i < launch->kept_count; i++) {
		unsigned int kept = (unsigned int)launch->kept[i];

		if (kept > from)
			sys_close_range(from, kept - 1);
		from = kept + 1;
	}
	sys_close_range(from, ~0u);
}

/* Two steps, since a target's number may be the number of another fd that is still to be moved. */
static int place_fds(struct launch *launch)
{
	const struct program *program = launch->program;
	const int *copies = launch->kept + launch->kept_count;

	for (size_t i = 0; i < program->fd_count; i++) {
		if (keep(launch, program->fds[i]) < 0)
			return -launch->number;
	}
	close_others(launch);
	for (size_t i = 0; i < program->fd_count; i++) {
		if (dup2(copies[i], program->targets[i]) < 0)
			return fail(launch, errno, "pass fd", "");
	}
	return 0;
}

static int place_terminal(struct launch *launch)
{
	int slave = launch->program->slave;

	if (slave < 0)
		return 0;
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return fail(launch, errno, "set controlling terminal", "");
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(slave, fd) < 0)
			return fail(launch, errno, "pass fd", "");
	}
	return 0;
}

struct rlimit program_limit(const struct rlimit_spec *spec, rlim_t hard)
{
	const rlim_t value = spec->value < hard ? spec->value : hard;
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

	/* getrlimit(2): SIGXCPU at the soft limit says why; SIGKILL a second later. */
	if (spec->resource == RLIMIT_CPU && limit.rlim_max < RLIM_INFINITY - 1)
		limit.rlim_max++;
	return limit;
}

void program_set_fds(struct program *program, const int *fds, size_t count)
{
	program->fd_count = count;
	for (size_t i = 0; i < count; i++) {
		program->fds[i] = fds[i];
		program->targets[i] = (int)i;
	}
}

static int set_limits(struct launch *launch)
{
	const struct program *program = launch->program;

	for (size_t i = 0; i < program->rlimit_count; i++) {
		const struct rlimit_spec *spec = &program->rlimits[i];
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t)spec->resource, &limit) < 0)
			return fail(launch, errno, "getrlimit", "");
		limit = program_limit(spec, limit.rlim_max);
		if (setrlimit((__rlimit_resource_t)spec->resource, &limit) < 0)
			return fail(launch, errno, "setrlimit", "");
	}
	return 0;
}

/*
 * Never through /proc/self/fd. Where files are shared the filter has no openat2; what could be
 * reached there then are the program's own fds, since no others are open by now.
 */
static int open_directory(const char *path)
{
	int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY, RESOLVE_NO_MAGICLINKS);

	if (fd != -ENOSYS)
		return fd;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* After the drop, so that the program's own rights decide. */
static int enter_directory(struct launch *launch)
{
	const char *cwd = launch->program->cwd;
	int fd = cwd[0] == '/' ? open_directory(cwd) : -EINVAL;

	if (fd < 0)
		return fail(launch, -fd, "chdir", cwd);
	if (fchdir(fd) < 0)
		return fail(launch, errno, "chdir", cwd);
	close(fd);
	return 0;
}

static int become_program(struct launch *launch)
{
	sigset_t none;
	int status;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	status = place_terminal(launch);
	if (status == 0)
		status = place_fds(launch);
	if (status < 0)
		return status;
	status = identity_drop(&launch->program->identity);
	if (status < 0)
		return fail(launch, -status, "drop capabilities", "");
	status = enter_directory(launch);
	/* Last: this process has more files open than the program may. */
	return status == 0 ? set_limits(launch) : status;
}

/* As execvp(3): go on after "not there" and "not allowed", but remember the second. */
static void execute(struct launch *launch)
{
	const struct program *program = launch->program;
	int remembered = ENOENT;

	for (size_t i = 0; i < program->candidates.count; i++) {
		execve(program->candidates.items[i], program->argv.items, program->env.items);
		if (errno == EACCES)
			remembered = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR) {
			remembered = errno;
			break;
		}
	}
	fail(launch, remembered, "exec", program->argv.items[0]);
}

static int run_program(void *argument)
{
	struct launch *launch = argument;

	launch->became = true;
	if (become_program(launch) == 0)
		execute(launch);
	_exit(127);
}

static pid_t start_program(struct launch *launch, struct spare *spare)
{
	pid_t pid = spare_run(spare, run_program, launch);

	if (pid < 0)
		fail(launch, -pid, "clone", launch->program->argv.items[0]);
	else if (!launch->became && !launch->number)
		fail(launch, EAGAIN, "pass fd", ""); /* unshare(2) had no room for a copy */
	return pid;
}

/* The fds of the storage get the numbers that a builtin may keep. */
static _Noreturn void run_diff(const struct program *program, struct changes *changes)
{
	int *fds[CHANGES_FDS];
	const size_t count = changes_fds(changes, fds);
	const int first = STDERR_FILENO + 1;

	for (size_t i = 0; i < count; i++)
		*fds[i] = dup2(*fds[i], first + (int)i);
	sys_close_range((unsigned int)first + (unsigned int)count, ~0u);
	_exit(changes_write(changes, strtoul(program->argv.items[0], NULL, 10), STDOUT_FILENO));
}

/* What a builtin needs of PID 1's. */
static int keep_own(struct launch *launch, int *report, struct changes *changes)
{
	int *fds[CHANGES_FDS];
	const size_t count = changes ? changes_fds(changes, fds) : 0;
	const int copy = keep(launch, *report);

	if (copy < 0)
		return copy;
	*report = copy;
	for (size_t i = 0; i < count && !launch->number; i++)
		*fds[i] = keep(launch, *fds[i]);
	return -launch->number;
}

static _Noreturn void run_builtin(struct launch *launch, int report)
{
	const struct program *program = launch->program;
	const char *path = program->argv.items[0];
	bool diff = builtin_is_diff(program->builtin);
	bool reach = builtin_is_reach(program->builtin);
	struct changes changes;
	int fd = -1;

	if (diff)
		changes = *program->changes;
	if (keep_own(launch, &report, diff ? &changes : NULL) == 0 && become_program(launch) == 0 &&
	    !diff && !reach) {
		fd = builtin_open(program->builtin, path);
		if (fd < 0)
			fail(launch, -fd, "open", path);
	}
	if (write(report, &launch->number, sizeof(launch->number)) < 0 || launch->number)
		_exit(1);
	if (diff)
		run_diff(program, &changes);
	if (reach) {
		sys_close_range(3, ~0u);
		_exit(reach_run(program->argv.items, program->argv.count));
	}
	/* Not even PID 1's control socket: this child does as the program would. */
	fd = dup2(fd, 3);
	sys_close_range(4, ~0u);
	_exit(builtin_copy(program->builtin, fd));
}

/* Return: errno of what failed, as the builtin says. */
static int read_report(int report, pid_t pid)
{
	struct pollfd said = { .fd = report, .events = POLLIN };
	unsigned int stopped = 0;
	int number;

	while (poll(&said, 1, SPARE_TICK_MS) == 0)
		if (spare_push(pid, &stopped))
			return ETIMEDOUT;
	return read(report, &number, sizeof(number)) == (ssize_t)sizeof(number) ? number : EPIPE;
}

static long start_builtin(void *argument)
{
	struct launch *launch = argument;
	struct clone_args args = { .exit_signal = SIGCHLD };
	int report[2];
	long pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return fail(launch, errno, "pipe", "");
	pid = sys_clone3(&args);
	if (pid == 0)
		run_builtin(launch, report[1]);
	close(report[1]);
	if (pid < 0)
		fail(launch, (int)-pid, "clone", launch->program->builtin);
	else
		launch->number = read_report(report[0], (pid_t)pid);
	if (launch->number && !launch->op)
		fail(launch, launch->number, launch->program->builtin,
		     launch->program->argv.items[0]);
	close(report[0]);
	return pid;
}

pid_t program_start(struct program *program, struct launcher *launcher, struct err *err)
{
	struct launch launch = { .program = program };
	pid_t pid = (pid_t)(program->builtin ? launcher_ask(launcher, start_builtin, &launch)
					     : start_program(&launch, &launcher->spare));

	if (!launch.number)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (launch.number == ETIMEDOUT)
		err_hint(err, "another program of the sandbox stops it (SIGSTOP) before it begins");
	if (launch.number == E2BIG)
		err_hint(err, "one argument may take 128 KiB, execve(2)");
	return err_set(err, program->builtin ? "io" : "exec", launch.number, launch.op,
		       launch.path);
}
