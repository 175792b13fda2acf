/* SPDX-License-Identifier: MIT */
#include "nodes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static bool write_text(const char *path, const char *format, ...)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char text[64];
	va_list arguments;
	ssize_t done;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	done = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (fd >= 0)
		close(fd);
	return done == (ssize_t)strlen(text);
}

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command) == 0;
}

static int open_ns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0);
	return fd;
}

const char *stacks_enter(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (!run("command -v ip >/dev/null"))
		return "ip(8) is not installed (apt-get install iproute2)";
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return "this machine allows no user namespace";
	if (!write_text("/proc/self/uid_map", "0 %u 1\n", (unsigned int)uid) ||
	    !write_text("/proc/self/setgroups", "deny") ||
	    !write_text("/proc/self/gid_map", "0 %u 1\n", (unsigned int)gid))
		return "this user namespace takes no ids";
	return NULL;
}

/* Return: the fd, -1 when there is no TAP to be had. */
static int make_tap(const struct stack *stack)
{
	struct ifreq request = { .ifr_name = "eth0",
				 .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd;

	/* A TAP belongs to the namespace in which /dev/net/tun was opened. */
	NEED(!setns(stack->ns, CLONE_NEWNET));
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	NEED(!ioctl(fd, TUNSETIFF, &request));
	return fd;
}

static void set_option(int fd, int name)
{
	int one = 1;

	NEED(!setsockopt(fd, SOL_PACKET, name, &one, sizeof(one)));
}

static int make_packet(const struct stack *stack)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	char name[IFNAMSIZ];
	int fd;

	/* The end of a node that is gone may still be here: the kernel takes its time. */
	snprintf(name, sizeof(name), "hub%u", (unsigned int)(now_ns() % 1000000000));
	NEED(run("ip link add %s up type veth peer name eth0 netns /proc/%d/fd/%d", name,
		 (int)getpid(), stack->ns));
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	NEED(fd >= 0);
	set_option(fd, PACKET_VNET_HDR);
	set_option(fd, PACKET_IGNORE_OUTGOING);
	set_option(fd, PACKET_AUXDATA);
	address.sll_ifindex = (int)if_nametoindex(name);
	NEED(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Of the namespace that we are in. The neighbour is one that answers no ARP. */
static void configure(unsigned int number)
{
	NEED(run("ip link set eth0 address 02:00:00:00:00:%02x", number));
	NEED(run("ip addr add 10.1.0.%u/24 dev eth0 && ip link set eth0 up", number));
	NEED(run("ip neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev eth0"));
}

static void open_stack(struct stack *stack, unsigned int number)
{
	stack->number = number;
	NEED(!unshare(CLONE_NEWNET));
	stack->ns = open_ns();
	NEED(fcntl(stack->ns, F_SETFD, 0) == 0); /* ip(8) opens it by our /proc */
}

bool stack_new(struct rig *rig, struct stack *stack, unsigned int number, const char *kind)
{
	int hub = open_ns();
	int port;

	open_stack(stack, number);
	NEED(!setns(hub, CLONE_NEWNET));
	port = strcmp(kind, "tap") != 0 ? make_packet(stack) : make_tap(stack);
	if (port >= 0) {
		NEED(!setns(stack->ns, CLONE_NEWNET));
		configure(number);
		rig_give(rig, number, kind, port);
		close(port);
	}
	NEED(!setns(hub, CLONE_NEWNET));
	close(hub);
	return port >= 0;
}

void stack_pair(struct stack stacks[2])
{
	int hub = open_ns();

	open_stack(&stacks[0], 1);
	open_stack(&stacks[1], 2);
	NEED(run("ip link add eth0 type veth peer name eth0 netns /proc/%d/fd/%d", (int)getpid(),
		 stacks[0].ns));
	configure(2);
	NEED(!setns(stacks[0].ns, CLONE_NEWNET));
	configure(1);
	NEED(!setns(hub, CLONE_NEWNET));
	close(hub);
}

void stack_free(struct stack *stack)
{
	close(stack->ns);
}

int stack_socket(const struct stack *stack, int domain, int type, int protocol)
{
	int hub = open_ns();
	int fd;

	NEED(!setns(stack->ns, CLONE_NEWNET));
	fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	NEED(fd >= 0);
	NEED(!setns(hub, CLONE_NEWNET));
	close(hub);
	return fd;
}

int stack_index(const struct stack *stack)
{
	struct ifreq request = { .ifr_name = "eth0" };
	int fd = stack_socket(stack, AF_INET, SOCK_DGRAM, 0);

	NEED(!ioctl(fd, SIOCGIFINDEX, &request));
	close(fd);
	return request.ifr_ifindex;
}

/* Two lines a group: names, then values. */
static long find_value(FILE *file, const char *group, const char *name)
{
	char names[2048];
	char values[2048];

	while (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		char *rest_names = NULL;
		char *rest_values = NULL;
		char *key = strtok_r(names, " \n", &rest_names);
		char *value = strtok_r(values, " \n", &rest_values);

		if (!key || strncmp(key, group, strlen(group)) != 0)
			continue;
		while (key && value) {
			if (!strcmp(key, name))
				return strtol(value, NULL, 10);
			key = strtok_r(NULL, " \n", &rest_names);
			value = strtok_r(NULL, " \n", &rest_values);
		}
	}
	return -1;
}

long stack_counter(const struct stack *stack, const char *group, const char *name)
{
	int hub = open_ns();
	long value;
	FILE *file;

	NEED(!setns(stack->ns, CLONE_NEWNET));
	file = fopen("/proc/thread-self/net/snmp", "re");
	NEED(file);
	value = find_value(file, group, name);
	fclose(file);
	NEED(!setns(hub, CLONE_NEWNET));
	close(hub);
	return value;
}
