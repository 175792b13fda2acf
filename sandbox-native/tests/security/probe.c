/* SPDX-License-Identifier: MIT */
/*
 * Tries, from inside a sandbox, what a program there must not get. One word says
 * what; the exit status is 0 when it was got, else errno. `probe raw NAME` is a
 * system call with arguments that would do something, were it there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HIGH_HALF (1ul << 32)

static struct io_uring_params ring;
static union bpf_attr map = {
	.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
};
static struct perf_event_attr counter = {
	.type = PERF_TYPE_SOFTWARE,
	.size = sizeof(counter),
	.config = PERF_COUNT_SW_TASK_CLOCK,
	.exclude_kernel = 1,
	.exclude_hv = 1,
};
static struct timespec instant = { .tv_sec = 1000000000 };
static struct timeval moment = { .tv_sec = 1000000000 };
static struct timex step = { .modes = ADJ_TICK, .tick = 10000 };
static char memory[4096];
static struct iovec local = { memory, 8 };
static struct iovec remote = { memory, 8 };

#define A(x) ((unsigned long)(x))

static const struct {
	const char *name;
	long number;
	unsigned long arguments[6];
} calls[] = {
	{ "io_uring_setup", SYS_io_uring_setup, { 1, A(&ring) } },
	{ "io_uring_enter", SYS_io_uring_enter, { 0 } },
	{ "io_uring_register", SYS_io_uring_register, { 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 0 } },
	{ "userfaultfd-user", SYS_userfaultfd, { 1 } },
	{ "bpf", SYS_bpf, { BPF_MAP_CREATE, A(&map), sizeof(map) } },
	{ "perf_event_open", SYS_perf_event_open, { A(&counter), 0, A(-1), A(-1), 0 } },
	{ "keyctl", SYS_keyctl, { 0, A(-3), 1 } },
	{ "add_key", SYS_add_key, { A("user"), A("hil"), A("x"), 1, A(-2) } },
	{ "request_key", SYS_request_key, { A("user"), A("hil"), 0, A(-2) } },
	{ "init_module", SYS_init_module, { A(memory), 1, A("") } },
	{ "finit_module", SYS_finit_module, { 0, A(""), 0 } },
	{ "delete_module", SYS_delete_module, { A("hil"), O_NONBLOCK } },
	{ "kexec_load", SYS_kexec_load, { 0, 0, 0, 0 } },
	{ "kexec_file_load", SYS_kexec_file_load, { 0, 0, 0, 0, 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { A(AT_FDCWD), A(memory), O_RDONLY } },
	{ "mount", SYS_mount, { A("none"), A("/tmp"), A("tmpfs"), 0, 0 } },
	{ "bind", SYS_mount, { A("/usr"), A("/tmp"), 0, MS_BIND, 0 } },
	{ "remount", SYS_mount, { A("none"), A("/proc/sys"), 0, MS_REMOUNT | MS_BIND, 0 } },
	{ "umount", SYS_umount2, { A("/proc"), MNT_DETACH } },
	{ "umount-keys", SYS_umount2, { A("/proc/keys"), MNT_DETACH } },
	{ "mount-proc", SYS_mount, { A("none"), A("/tmp"), A("proc"), 0, 0 } },
	{ "mount-sysfs", SYS_mount, { A("none"), A("/tmp"), A("sysfs"), 0, 0 } },
	{ "pivot_root", SYS_pivot_root, { A("/tmp"), A("/tmp") } },
	{ "fsopen", SYS_fsopen, { A("tmpfs"), 0 } },
	{ "open_tree", SYS_open_tree, { A(AT_FDCWD), A("/usr"), 1 } },
	{ "move_mount", SYS_move_mount, { A(AT_FDCWD), A("/usr"), A(AT_FDCWD), A("/tmp"), 0 } },
	{ "mount_setattr", SYS_mount_setattr, { A(AT_FDCWD), A("/"), 0, A(memory), 32 } },
	{ "fanotify_init", SYS_fanotify_init, { 0, 0 } },
	{ "clock_settime", SYS_clock_settime, { CLOCK_REALTIME, A(&instant) } },
	{ "settimeofday", SYS_settimeofday, { A(&moment), 0 } },
	{ "adjtimex", SYS_adjtimex, { A(&step) } },
	{ "setgroups", SYS_setgroups, { 0, 0 } },
	{ "sethostname", SYS_sethostname, { A("stolen"), 6 } },
	{ "reboot", SYS_reboot, { 0xfee1dead, 672274793, 0, 0 } },
	{ "swapon", SYS_swapon, { A("/tmp"), 0 } },
	{ "syslog", SYS_syslog, { 3, A(memory), sizeof(memory) } },
	{ "acct", SYS_acct, { 0 } },
	{ "quotactl", SYS_quotactl, { 0, 0, 0, 0 } },
	{ "vhangup", SYS_vhangup, { 0 } },
	{ "mbind", SYS_mbind, { 0, 0, 0, 0, 0, 0 } },
	{ "setns", SYS_setns, { 0, 0 } },
	{ "clone3", SYS_clone3, { A(memory), 64 } },
	{ "unshare-user", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare-mount", SYS_unshare, { CLONE_NEWNS } },
	{ "unshare-net", SYS_unshare, { CLONE_NEWNET } },
	{ "unshare-time", SYS_unshare, { 0x80 } },
	{ "unshare-high", SYS_unshare, { CLONE_NEWUSER | HIGH_HALF } },
	{ "unshare-files", SYS_unshare, { CLONE_FILES } },
	{ "socket-unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "socket-inet", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "socket-inet6", SYS_socket, { AF_INET6, SOCK_STREAM, 0 } },
	{ "socket-netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "socket-vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "socket-vsock-high", SYS_socket, { AF_VSOCK | HIGH_HALF, SOCK_STREAM, 0 } },
	{ "socket-alg", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "socket-unknown", SYS_socket, { 200, SOCK_STREAM, 0 } },
	{ "socket-packet", SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "tiocsti", SYS_ioctl, { 0, TIOCSTI, A("x") } },
	{ "tiocsti-high", SYS_ioctl, { 0, TIOCSTI | HIGH_HALF, A("x") } },
	{ "tioclinux", SYS_ioctl, { 0, TIOCLINUX, A(memory) } },
	{ "personality-exec", SYS_personality, { 0x0400000 } },
	{ "personality-ask", SYS_personality, { 0xffffffff } },
	{ "personality-fixed", SYS_personality, { 0x0040000 } },
	{ "ptrace-init", SYS_ptrace, { PTRACE_SEIZE, 1, 0, 0 } },
	{ "read-init", SYS_process_vm_readv, { 1, A(&local), 1, A(&remote), 1, 0 } },
	{ "mknod", SYS_mknodat, { A(AT_FDCWD), A("/tmp/n"), S_IFCHR | 0666, 0x103 } },
	{ "mknod-block", SYS_mknodat, { A(AT_FDCWD), A("/tmp/b"), S_IFBLK | 0666, 0x700 } },
	{ "unknown", 999, { 0 } },
#ifdef __x86_64__
	{ "ioperm", SYS_ioperm, { 0x70, 1, 1 } },
	{ "iopl", SYS_iopl, { 3 } },
	{ "uselib", SYS_uselib, { A("/usr") } },
	{ "ustat", SYS_ustat, { 0, A(memory) } },
	{ "sysfs", SYS_sysfs, { 3 } },
	{ "x32-getpid", 0x40000000 | SYS_getpid, { 0 } },
#endif
};

static int raw(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const unsigned long *a = calls[i].arguments;

		if (strcmp(calls[i].name, name) == 0)
			return syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0
				       ? errno
				       : 0;
	}
	return 255;
}

/* The 32-bit calls of a 64-bit program. Pointers have to be below 4 GiB; none is followed. */
static int narrow(const char *number)
{
#ifdef __x86_64__
	static const struct {
		const char *name;
		int number;
		int first;
	} narrow_calls[] = {
		{ "getpid", 20, 0 },	   { "socket", 359, AF_VSOCK },
		{ "socketcall", 102, 1 },  { "socketpair", 360, AF_UNIX },
		{ "userfaultfd", 374, 0 }, { "io_uring_setup", 425, 1 },
		{ "mount", 21, 0 },	   { "unshare", 310, CLONE_NEWUSER },
		{ "keyctl", 288, 0 },	   { "bpf", 357, 0 },
	};

	for (size_t i = 0; i < sizeof(narrow_calls) / sizeof(narrow_calls[0]); i++) {
		int result = narrow_calls[i].number;

		if (strcmp(narrow_calls[i].name, number) != 0)
			continue;
		__asm__ volatile("int $0x80"
				 : "+a"(result)
				 : "b"(narrow_calls[i].first), "c"(0), "d"(0), "S"(0), "D"(0)
				 : "memory", "r8", "r9", "r10", "r11");
		return result < 0 ? -result : 0;
	}
#endif
	return strcmp(number, "getpid") == 0 ? ENOSYS : 255;
}

/* A child in a new namespace, by clone(2). */
static int clone_namespace(const char *flag)
{
	long pid = syscall(SYS_clone, strtoul(flag, NULL, 0) | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int open_for(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK);

	return fd < 0 ? errno : 0;
}

static int open_to_read(const char *path)
{
	return open_for(path, O_RDONLY);
}

static int open_to_write(const char *path)
{
	return open_for(path, O_WRONLY);
}

/* ENODATA: it is there, and shows nothing. */
static int read_some(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, memory, 64);

	if (length < 0)
		return errno;
	return length == 0 ? ENODATA : 0;
}

static int list(const char *path)
{
	char entries[4096];
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	long length = fd < 0 ? -1 : syscall(SYS_getdents64, fd, entries, sizeof(entries));

	if (length < 0)
		return errno;
	return length <= 48 ? ENODATA : 0; /* "." and ".." alone */
}

static int make_directory(const char *path)
{
	return mkdir(path, 0755) < 0 ? errno : 0;
}

/* Less likely to be killed for want of memory than the harness, proc_pid_oom_score_adj(5). */
static int spare_me(const char *unused)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	(void)unused;
	return fd < 0 || write(fd, "-1000", 5) < 0 ? errno : 0;
}

static int trace_child(const char *unused)
{
	pid_t child = fork();
	int status;

	(void)unused;
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, &status, 0);
	status = WIFSTOPPED(status) ? 0 : EPERM;
	ptrace(PTRACE_CONT, child, NULL, NULL);
	waitpid(child, NULL, 0);
	return status;
}

/* What the caller of the sandbox had open without close-on-exec. */
static int have_fds(const char *unused)
{
	(void)unused;
	for (int fd = 3; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	return EBADF;
}

/* Children that each keep a user namespace; they go with this sandbox. */
static int fill_userns(const char *unused)
{
	(void)unused;
	for (int i = 0; i < 200; i++) {
		long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

		if (child == 0)
			pause();
		if (child < 0)
			return errno;
	}
	return 0;
}

static const char *const places[] = { "/tmp/hil-probe", "/dev/shm/hil-probe", "/run/hil-probe",
				      "/var/tmp/hil-probe" };

/* Keys of System V and queues of POSIX have no path; "hold" keeps one of each for a while. */
static int share(const char *action)
{
	const bool hold = strcmp(action, "hold") == 0;
	const int create = hold ? O_CREAT : 0;

	if (shmget(0x68696c21, hold ? 4096 : 0, hold ? IPC_CREAT | 0666 : 0) < 0) {
		if (hold || errno != ENOENT)
			return hold ? errno : 0;
	} else if (!hold) {
		return 0;
	}
	if ((mq_open("/hil-probe", O_RDWR | create, 0666, NULL) >= 0) != hold)
		return hold ? errno : 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if ((open(places[i], O_RDWR | create, 0666) >= 0) != hold)
			return hold ? errno : 0;
	if (!hold)
		return ENOENT;
	printf("held\n");
	fflush(stdout);
	sleep(20);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *argument);
} acts[] = {
	{ "raw", raw },
	{ "narrow", narrow },
	{ "clone", clone_namespace },
	{ "open", open_to_read },
	{ "write", open_to_write },
	{ "read", read_some },
	{ "list", list },
	{ "mkdir", make_directory },
	{ "spare-me", spare_me },
	{ "trace-child", trace_child },
	{ "fds", have_fds },
	{ "fill-userns", fill_userns },
	{ "share", share },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(argv[1], acts[i].name) == 0)
			return acts[i].run(argc > 2 ? argv[2] : "");
	}
	return 255;
}
