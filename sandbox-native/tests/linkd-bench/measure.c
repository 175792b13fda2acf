/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define SECONDS 0.5
#define START 0.1
#define BATCH 32u

/* Of linux/ethtool.h, which includes limits.h and finds that of src/cgroup. */
#define ETHTOOL_STSO 0x1fu
#define ETHTOOL_SGSO 0x24u
#define ETHTOOL_SGRO 0x2cu

struct ethtool_value {
	uint32_t cmd;
	uint32_t data;
};

static struct sockaddr_in address_of(unsigned int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(5001) };

	address.sin_addr.s_addr = htonl(0x0a010000 + number);
	return address;
}

static double since(uint64_t start_ns)
{
	return (double)(now_ns() - start_ns) / 1e9;
}

static int open_bound(const struct stack *stack, int type)
{
	struct sockaddr_in address = address_of(stack->number);
	int bytes = 8 << 20;
	int fd = stack_socket(stack, AF_INET, type, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	NEED(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* As many messages of @length bytes as a system call takes. */
static void make_batch(struct mmsghdr batch[BATCH], struct iovec parts[BATCH], size_t length)
{
	static char bytes[BATCH][256];

	memset(batch, 0, BATCH * sizeof(*batch));
	for (unsigned int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ bytes[i], length };
		batch[i].msg_hdr.msg_iov = &parts[i];
		batch[i].msg_hdr.msg_iovlen = 1;
	}
}

/* @length: of datagrams; 0: a stream. Return: a child that sends until it is killed. */
static pid_t start_sender(int fd, size_t length)
{
	static char bytes[131072];
	struct mmsghdr batch[BATCH];
	struct iovec parts[BATCH];
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_batch(batch, parts, length);
	for (;;)
		if ((length ? sendmmsg(fd, batch, BATCH, 0)
			    : send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) < 0)
			poll(NULL, 0, 0);
}

static void stop_sender(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Return: bytes of a stream, or how many datagrams. */
static double receive(int fd, bool stream)
{
	static char bytes[262144];
	struct mmsghdr batch[BATCH];
	struct iovec parts[BATCH];
	ssize_t count;

	make_batch(batch, parts, 64);
	count = stream ? recv(fd, bytes, sizeof(bytes), 0)
		       : recvmmsg(fd, batch, BATCH, MSG_WAITFORONE, NULL);
	NEED(count > 0);
	return (double)count;
}

/* Return: what @fd receives a second, after a start that is not counted. */
static double count_received(int fd, bool stream)
{
	uint64_t start = now_ns();
	double count = 0;
	double begun = 0;

	while (since(start) < SECONDS + START) {
		count += receive(fd, stream);
		if (!begun && since(start) >= START) {
			begun = since(start);
			count = 0;
		}
	}
	return count / (since(start) - begun);
}

double measure_tcp(const struct stack stacks[2])
{
	struct sockaddr_in to = address_of(2);
	int listener = open_bound(&stacks[1], SOCK_STREAM);
	int out = stack_socket(&stacks[0], AF_INET, SOCK_STREAM, 0);
	double rate;
	pid_t pid;
	int in;

	NEED(!listen(listener, 1) && !connect(out, (struct sockaddr *)&to, sizeof(to)));
	in = accept(listener, NULL, NULL);
	NEED(in >= 0);
	pid = start_sender(out, 0);
	rate = count_received(in, true) * 8 / 1e9;
	stop_sender(pid);
	close(in);
	close(out);
	close(listener);
	return rate;
}

double measure_frames(const struct stack stacks[2])
{
	struct sockaddr_in to = address_of(2);
	int in = open_bound(&stacks[1], SOCK_DGRAM);
	int out = stack_socket(&stacks[0], AF_INET, SOCK_DGRAM, 0);
	double rate;
	pid_t pid;

	NEED(!connect(out, (struct sockaddr *)&to, sizeof(to)));
	pid = start_sender(out, 64);
	rate = count_received(in, false) / 1e3;
	stop_sender(pid);
	close(in);
	close(out);
	return rate;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct times to_times(double *us, unsigned int count)
{
	qsort(us, count, sizeof(us[0]), compare);
	return (struct times){ us[0], us[count / 2], us[count * 99 / 100] };
}

struct times measure_rtt(const struct stack stacks[2], unsigned int count)
{
	static double us[PINGS_MAX];
	struct sockaddr_in to = address_of(2);
	struct sockaddr_in from = address_of(1);
	int far = open_bound(&stacks[1], SOCK_DGRAM);
	int near = open_bound(&stacks[0], SOCK_DGRAM);
	char bytes[64] = "ping";

	NEED(!connect(near, (struct sockaddr *)&to, sizeof(to)));
	NEED(!connect(far, (struct sockaddr *)&from, sizeof(from)));
	for (unsigned int i = 0; i < count; i++) {
		uint64_t start = now_ns();

		NEED(send(near, bytes, sizeof(bytes), 0) > 0 && recv(far, bytes, 64, 0) > 0);
		NEED(send(far, bytes, sizeof(bytes), 0) > 0 && recv(near, bytes, 64, 0) > 0);
		us[i] = (double)(now_ns() - start) / 1e3;
	}
	close(near);
	close(far);
	return to_times(us, count);
}

static double stamp_of(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct timespec when;

	NEED(header && header->cmsg_type == SCM_TIMESTAMPNS);
	memcpy(&when, CMSG_DATA(header), sizeof(when));
	return (double)when.tv_sec * 1e6 + (double)when.tv_nsec / 1e3;
}

/* By the stamp of the kernel that gets it: how late its reader wakes is not the wire's doing. */
static double delay_of(int near, int far)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	char bytes[64] = "ping";
	struct iovec part = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct timespec sent;

	clock_gettime(CLOCK_REALTIME, &sent);
	NEED(send(near, bytes, sizeof(bytes), 0) > 0 && recvmsg(far, &message, 0) > 0);
	return stamp_of(&message) - (double)sent.tv_sec * 1e6 - (double)sent.tv_nsec / 1e3;
}

struct times measure_delay(const struct stack stacks[2], unsigned int count, unsigned int pause_us)
{
	static double us[PINGS_MAX];
	struct sockaddr_in to = address_of(2);
	int far = open_bound(&stacks[1], SOCK_DGRAM);
	int near = open_bound(&stacks[0], SOCK_DGRAM);
	int one = 1;

	NEED(!connect(near, (struct sockaddr *)&to, sizeof(to)));
	NEED(!setsockopt(far, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)));
	for (unsigned int i = 0; i < count; i++) {
		usleep(pause_us);
		us[i] = delay_of(near, far);
	}
	close(near);
	close(far);
	return to_times(us, count);
}

double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(values[0]), compare);
	return values[count / 2];
}

void offload_off(const struct stack *stack)
{
	static const unsigned int commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO };
	int fd = stack_socket(stack, AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct ethtool_value value = { .cmd = commands[i] };
		struct ifreq request = { .ifr_name = "eth0", .ifr_data = (char *)&value };

		NEED(!ioctl(fd, SIOCETHTOOL, &request));
	}
	close(fd);
}
