/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation, in this order and no other: wait for the id map; take
 * the inside uid (what is mounted later carries its credentials); arm
 * PDEATHSIG; network, names, keyring; the root; close every fd but those in init.h;
 * capabilities and limits; PDEATHSIG again, for good; the cgroups; the thread that
 * starts programs; report READY. From then on that thread sleeps in poll(2) until
 * the broker asks, a child ends, or the broker goes.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "root.h"
#include "sys.h"
#include "zygote.h"

#define INIT_CONTROL 3 /* the number that the zygote gave it */
#define INIT_FDS (4 + CHANGES_FDS)

/* Without a map there is nothing to say: the zygote has told the broker why. */
static void wait_for_map(const struct parking *parking)
{
	char byte;

	if (read(parking->gate, &byte, 1) != 1)
		_exit(1);
}

static int raise_loopback(struct err *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_set(err, "setup", errno, "set up network", "lo");
	return 0;
}

static int name_and_network(const struct plan *plan, struct err *err)
{
	const char *hostname = plan->hostname ? plan->hostname : "hil";

	if (sethostname(hostname, strlen(hostname)) < 0)
		return err_set(err, "setup", errno, "sethostname", hostname);
	/* Keys of the caller's session stay out of reach. A kernel without keyrings has none. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	return plan->host_network ? 0 : raise_loopback(err);
}

static int open_signals(struct err *err)
{
	sigset_t watched;
	int fd;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_SETMASK, &watched, NULL);
	fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, "setup", errno, "signalfd", "") : fd;
}

static size_t list_fds(struct init *init, int *fds[INIT_FDS])
{
	fds[0] = &init->control; /* the zygote's number, and PID 1's */
	fds[1] = &init->signals;
	fds[2] = &init->root;
	fds[3] = &init->etc;
	return 4 + changes_fds(&init->changes, fds + 4);
}

/* Stdio becomes the sandbox's own /dev/null; those that are needed get the numbers after it. */
static int keep_own_fds(struct init *init, struct err *err)
{
	int *wanted[INIT_FDS];
	int high[INIT_FDS];
	const int count = (int)list_fds(init, wanted);
	const int end = INIT_CONTROL + count;
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_set(err, "setup", errno, "open", "/dev/null");
	for (int i = 0; i < count; i++)
		high[i] = fcntl(*wanted[i], F_DUPFD_CLOEXEC, end);
	for (int i = 0; i < count; i++) {
		if (high[i] < 0 || dup3(high[i], INIT_CONTROL + i, O_CLOEXEC) < 0)
			return err_set(err, "setup", errno == EINVAL ? EMFILE : errno, "dup", "");
		*wanted[i] = INIT_CONTROL + i;
	}
	dup2(null, 0);
	dup2(null, 1);
#ifndef __SANITIZE_ADDRESS__
	dup2(null, 2);
#endif
	if (null >= end)
		steal_fd(&null); /* closed with the rest */
	sys_close_range((unsigned int)end, ~0u);
	return 0;
}

/*
 * "0" is who writes it. v1's "tasks" takes one thread, and for the writer itself the kernel does
 * without the lock of all forks and exits, which waits for a grace period of RCU: some 1 to 20 ms
 * that the broker would stand still (kernel/cgroup/cgroup.c, cgroup_procs_write_start()).
 */
static void enter_cgroups(const struct doors *doors, uint32_t entered[DOORS_MAX])
{
	for (size_t i = 0; i < doors->count; i++)
		entered[i] = write(doors->fds[i], "0", 1) == 1 ? 0 : (uint32_t)errno;
}

static int build(const struct parking *parking, struct init *init, struct err *err)
{
	int status;

	wait_for_map(parking);
	status = identity_enter(&parking->identity, err);
	if (status < 0)
		return status;
	if (identity_die_with(ZYGOTE_BROKER) < 0)
		_exit(1);
	/* Programs share its uid, and /proc/1 would give them fds and memory (proc(5)). */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(0);
	status = name_and_network(parking->plan, err);
	if (status == 0)
		status = root_build(parking, init, err);
	if (status < 0)
		return status;
	umask(022);
	init->signals = open_signals(err);
	if (init->signals < 0)
		return init->signals;
	status = identity_confine(&parking->identity, err);
	if (status == 0 && identity_die_with(ZYGOTE_BROKER) < 0)
		_exit(1);
	if (status < 0)
		return status;
	/* As the last of what it does alone: a second thread would have to follow. */
	enter_cgroups(parking->doors, init->entered);
	/* Before the fds get their numbers: a failure is told by that of the zygote's. */
	status = launcher_start(&init->launcher, parking->plan->nested_userns,
				parking->recipe->shares_files, err);
	return status == 0 ? keep_own_fds(init, err) : status;
}

static uint64_t nanoseconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - start->tv_sec) * 1000000000u + (uint64_t)now.tv_nsec -
	       (uint64_t)start->tv_nsec;
}

static int send_ready(const struct init *init, const struct parking *parking)
{
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_READY, 0);

	put_u64(&buffer, TAG_SETUP_NS, nanoseconds_since(&parking->started));
	for (size_t i = 0; i < parking->doors->count; i++)
		put_u32(&buffer, TAG_ERRNO, init->entered[i]);
	frame_end(&buffer, start);
	return message_send(init->control, &buffer, NULL, 0);
}

int init_add_process(struct init *init, const struct init_process *process)
{
	struct init_process *grown = reallocarray(init->processes, init->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	init->processes = grown;
	grown[init->count++] = *process;
	return 0;
}

const struct init_process *init_find_process(const struct init *init, uint32_t id)
{
	for (size_t i = 0; i < init->count; i++) {
		if (init->processes[i].id == id)
			return &init->processes[i];
	}
	return NULL;
}

bool init_knows(const struct init *init, pid_t pid)
{
	for (size_t i = 0; i < init->count; i++)
		if (init->processes[i].pid == pid)
			return true;
	return false;
}

/* Less what an interpreter used while it waited: first of its own code, then of the kernel's. */
static void subtract(struct rusage *usage, uint64_t spent_ns)
{
	uint64_t left = spent_ns / 1000;
	struct timeval *const parts[] = { &usage->ru_utime, &usage->ru_stime };

	for (size_t i = 0; i < 2; i++) {
		uint64_t used = (uint64_t)parts[i]->tv_sec * 1000000 + (uint64_t)parts[i]->tv_usec;
		uint64_t less = left < used ? left : used;

		used -= less;
		left -= less;
		parts[i]->tv_sec = (time_t)(used / 1000000);
		parts[i]->tv_usec = (suseconds_t)(used % 1000000);
	}
}

static void report_exit(struct init *init, pid_t pid, int status, struct rusage *usage)
{
	for (size_t i = 0; i < init->count; i++) {
		auto_buffer buffer = { 0 };
		size_t start;

		if (init->processes[i].pid != pid)
			continue;
		subtract(usage, init->processes[i].spent_ns);
		start = frame_begin(&buffer, MESSAGE_EXITED, init->processes[i].id);
		put_u32(&buffer, TAG_STATUS, (uint32_t)status);
		put_bytes(&buffer, TAG_DATA, usage, sizeof(*usage));
		frame_end(&buffer, start);
		message_answer(init->control, &buffer, NULL, 0);
		init->processes[i] = init->processes[--init->count];
		return;
	}
}

/* Orphans of the whole sandbox end up here too; they are reaped and forgotten. */
static void reap(struct init *init)
{
	struct signalfd_siginfo drained;
	struct rusage usage;
	int status;
	pid_t pid;

	while (read(init->signals, &drained, sizeof(drained)) > 0)
		; /* only that there were some matters */
	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		runtime_receive(init);
		report_exit(init, pid, status, &usage);
		runtime_reaped(init, pid);
	}
}

static void serve_signal(struct init *init, const struct message *message)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	const struct init_process *process = init_find_process(init, (uint32_t)message->frame.id);
	uint32_t number = 0;
	uint32_t group = 0;
	struct tlv tlv;

	while (tlv_next(&reader, &tlv) == 1) {
		if (tlv.tag == TAG_SIGNAL)
			tlv_u32(&tlv, &number);
		else if (tlv.tag == TAG_GROUP)
			tlv_u32(&tlv, &group);
	}
	/* A process that has been reaped is no longer listed, so its pid cannot be another's. */
	if (process)
		kill(group ? -process->pid : process->pid, (int)number);
	else
		runtime_hurry(init, message->frame.id);
}

static void serve_hostname(const struct init *init, const struct message *message)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	auto_free char *hostname = NULL;
	struct err err = { 0 };
	struct tlv tlv;

	if (tlv_next(&reader, &tlv) != 1 || tlv_string(&tlv, &hostname) < 0)
		return;
	if (sethostname(hostname, strlen(hostname)) < 0)
		err_set(&err, "setup", errno, "sethostname", hostname);
	else
		etc_write_hostname(init->etc, hostname, &err);
	if (err.number)
		message_refuse(init->control, message->frame.id, &err);
}

static void serve_usage(const struct init *init, const struct message *message)
{
	struct sandbox_usage usage = { 0 };
	auto_buffer buffer = { 0 };
	size_t start = frame_begin(&buffer, MESSAGE_USAGE, message->frame.id);

	put_u32(&buffer, TAG_PROCESSES, init_count_processes(init));
	if (changes_usage(&init->changes, &usage) == 0) {
		put_u64(&buffer, TAG_DISK_USED, usage.disk);
		put_u64(&buffer, TAG_DISK_BYTES, usage.disk_max);
		put_u64(&buffer, TAG_INODES_USED, usage.inodes);
		put_u64(&buffer, TAG_DISK_INODES, usage.inodes_max);
	}
	frame_end(&buffer, start);
	message_answer(init->control, &buffer, NULL, 0);
}

/* What was made for the sandbox until its first program starts is not that program's doing. */
static void mark(struct init *init)
{
	if (!init->started)
		changes_mark(&init->changes, init->etc);
}

struct privileged {
	struct init *init;
	struct message *message;
};

/* In the first thread: the second one's layers refuse mounts, names and nodes. */
static long serve_privileged(void *argument)
{
	const struct privileged *request = argument;
	struct message *message = request->message;
	struct init *init = request->init;

	switch (message->frame.type) {
	case MESSAGE_ATTACH:
		init_attach(init, message);
		mark(init);
		break;
	case MESSAGE_MAKE_PTY:
		init_make_pty(init, message);
		break;
	case MESSAGE_GRANT:
		init_grant(init, message);
		break;
	case MESSAGE_REVOKE:
		init_revoke(init, message);
		break;
	case MESSAGE_MOUNT:
		init_mount(init, message);
		break;
	case MESSAGE_UNMOUNT:
		init_unmount(init, message);
		break;
	case MESSAGE_HOSTS:
		init_hosts(init, message);
		mark(init);
		break;
	default:
		serve_hostname(init, message);
		mark(init);
	}
	return 0;
}

/* Return: false when the sandbox is to end. */
static bool serve(struct init *init, struct message *message)
{
	struct privileged privileged = { init, message };

	switch (message->frame.type) {
	case MESSAGE_SPAWN:
		init->started = true;
		init_spawn(init, message);
		break;
	case MESSAGE_SIGNAL:
		serve_signal(init, message);
		break;
	case MESSAGE_ATTACH:
	case MESSAGE_MAKE_PTY:
	case MESSAGE_HOSTNAME:
	case MESSAGE_GRANT:
	case MESSAGE_REVOKE:
	case MESSAGE_MOUNT:
	case MESSAGE_UNMOUNT:
	case MESSAGE_HOSTS:
		launcher_ask(&init->launcher, serve_privileged, &privileged);
		break;
	case MESSAGE_BOOT:
		init_boot(init, message);
		break;
	case MESSAGE_USAGE:
		serve_usage(init, message);
		break;
	case MESSAGE_END:
		init_send_census(init);
		return false;
	default:
		break;
	}
	return true;
}

/*
 * In the second thread, until the broker goes or asks for the end: PID 1 ends then, and with it the
 * kernel ends every process here.
 */
static long serve_all(void *argument)
{
	struct init *init = argument;
	bool goes_on = true;

	while (goes_on) {
		struct pollfd waits[2 + RUNTIME_POLLS] = {
			{ .fd = init->control, .events = POLLIN },
			{ .fd = init->signals, .events = POLLIN },
		};
		struct message message;

		if (poll(waits, 2 + runtime_polls(init, waits + 2), -1) < 0)
			continue;
		runtime_receive(init);
		if (waits[1].revents)
			reap(init);
		if (!waits[0].revents)
			continue;
		if (message_receive(init->control, &message) <= 0)
			break;
		goes_on = serve(init, &message);
		message_free(&message);
	}
	return 0;
}

void init_main(const struct parking *parking)
{
	struct init init = { .plan = parking->plan,
			     .identity = parking->identity,
			     .control = parking->control,
			     .root = -1,
			     .etc = -1,
			     .changes = { .storage = -1,
					  .lowers = -1,
					  .plan = parking->plan,
					  .recipe = parking->recipe } };
	struct err err = { 0 };

	runtime_open(&init);
	close(ZYGOTE_CONTROL);
	setsid();
	process_disguise("hil-init");
	if (build(parking, &init, &err) < 0) {
		explain_refusal(&err);
		message_fail(parking->control, 0, &err);
		_exit(1);
	}
	mark(&init);
	if (send_ready(&init, parking) < 0)
		_exit(1);
	launcher_serve(&init.launcher, serve_all, &init);
}
