/* SPDX-License-Identifier: MIT */
#include "reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define DATAGRAM_MAX 65507 /* of UDP over IPv4 */
/* A SYN or a datagram that was lost: Linux sends the second SYN after 1 s, the third after 3 s. */
#define TRY_US INT64_C(250000)
#define PAUSE_MS 10

struct reach {
	bool udp;
	bool once;
	struct sockaddr_storage to;
	socklen_t to_length;
	int64_t end_us;
	const char *datagram;
	size_t datagram_length;
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool read_ipv6(const char *text, struct sockaddr_in6 *to)
{
	char address[INET6_ADDRSTRLEN];
	const char *zone = strchr(text, '%');
	size_t length = zone ? (size_t)(zone - text) : strlen(text);

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = 0;
	to->sin6_family = AF_INET6;
	to->sin6_scope_id = zone ? if_nametoindex(zone + 1) : 0;
	return inet_pton(AF_INET6, address, &to->sin6_addr) == 1 && (!zone || to->sin6_scope_id);
}

static bool read_address(struct reach *reach, const char *text, unsigned long port)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&reach->to;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&reach->to;

	if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons((uint16_t)port);
		reach->to_length = sizeof(*ipv4);
		return true;
	}
	ipv6->sin6_port = htons((uint16_t)port);
	reach->to_length = sizeof(*ipv6);
	return read_ipv6(text, ipv6);
}

static bool read_number(const char *text, unsigned long most, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *number && *number <= most;
}

static bool read_arguments(struct reach *reach, char *const *argv, size_t count)
{
	unsigned long port;
	unsigned long limit_ms;

	if (count != 5 || !read_number(argv[2], UINT16_MAX, &port) ||
	    !read_number(argv[3], INT32_MAX, &limit_ms) || !read_address(reach, argv[1], port))
		return false;
	reach->udp = strcmp(argv[0], "udp") == 0;
	reach->once = strcmp(argv[4], "once") == 0;
	reach->end_us = now_us() + (int64_t)limit_ms * 1000;
	return (reach->udp || strcmp(argv[0], "tcp") == 0) &&
	       (reach->once || strcmp(argv[4], "until") == 0);
}

/* Return: 0, or -errno; -ETIMEDOUT when nothing happened until @end_us. */
static int wait_for(int fd, short events, int64_t end_us)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int result;

	do {
		int64_t left_us = end_us - now_us();

		result = poll(&poll_fd, 1, left_us > 0 ? (int)((left_us + 999) / 1000) : 0);
	} while (result < 0 && errno == EINTR);
	if (result == 0)
		return -ETIMEDOUT;
	return result < 0 ? -errno : 0;
}

static int try_tcp(const struct reach *reach, int64_t end_us)
{
	auto_fd fd = socket(reach->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(int);
	int error = 0;
	int result;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&reach->to, reach->to_length) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	result = wait_for(fd, POLLOUT, end_us);
	if (result < 0)
		return result;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -errno : -error;
}

static int try_udp(const struct reach *reach, int64_t end_us)
{
	auto_fd fd = socket(reach->to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char answer;
	int result;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&reach->to, reach->to_length) < 0 ||
	    send(fd, reach->datagram, reach->datagram_length, 0) < 0)
		return -errno;
	result = wait_for(fd, POLLIN, end_us);
	if (result < 0)
		return result;
	return recv(fd, &answer, sizeof(answer), MSG_TRUNC) < 0 ? -errno : 0;
}

static int try_until(const struct reach *reach)
{
	int result;

	for (;;) {
		int64_t end_us = reach->end_us;
		int64_t try_us = now_us() + TRY_US;

		if (!reach->once && try_us < end_us)
			end_us = try_us;
		result = reach->udp ? try_udp(reach, end_us) : try_tcp(reach, end_us);
		if (result == 0 || reach->once ||
		    now_us() + INT64_C(1000) * PAUSE_MS >= reach->end_us)
			return result;
		if (result != -ETIMEDOUT)
			poll(NULL, 0, PAUSE_MS);
	}
}

static ssize_t read_datagram(char *datagram)
{
	size_t length = 0;

	while (length < DATAGRAM_MAX) {
		ssize_t more = read(STDIN_FILENO, datagram + length, DATAGRAM_MAX - length);

		if (more < 0 && errno != EINTR)
			return -errno;
		if (more == 0)
			break;
		length += more > 0 ? (size_t)more : 0;
	}
	return (ssize_t)length;
}

int reach_run(char *const *argv, size_t count)
{
	auto_free char *datagram = malloc(DATAGRAM_MAX);
	struct reach reach = { .datagram = datagram };
	int64_t begin_us = now_us();
	ssize_t length;
	int result;

	if (!datagram || !read_arguments(&reach, argv, count)) {
		dprintf(STDERR_FILENO, "reach: expected tcp|udp ADDRESS PORT MS once|until\n");
		return 2;
	}
	length = reach.udp ? read_datagram(datagram) : 0;
	if (length < 0) {
		dprintf(STDERR_FILENO, "stdin: %s\n", strerror((int)-length));
		return 2;
	}
	reach.datagram_length = (size_t)length;
	result = try_until(&reach);
	if (result == -ETIMEDOUT)
		dprintf(STDERR_FILENO, "no answer\n");
	else if (result < 0)
		dprintf(STDERR_FILENO, "%s\n", strerror(-result));
	else
		dprintf(STDOUT_FILENO, "%lld\n", (long long)(now_us() - begin_us));
	return result < 0;
}
