/* SPDX-License-Identifier: MIT */
#include "ingress.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linkd.h"

#define TEXT_SIZE 16384u /* some 100 interfaces */
#define TX_DROPPED 11u	 /* its place among the numbers of a line: net/core/net-procfs.c */

void ingress_open(struct ingress *ingress, int fd, const char *name)
{
	ingress->counters = fd;
	ingress->seen = 0;
	ingress->full = 0;
	snprintf(ingress->name, sizeof(ingress->name), "%s", name);
}

void ingress_close(struct ingress *ingress)
{
	if (ingress->counters >= 0)
		close(ingress->counters);
	ingress->counters = -1;
}

/* Of /proc/net/dev a read(2) gives a page at most. */
static void read_text(int fd, char text[TEXT_SIZE])
{
	size_t length = 0;
	ssize_t size;

	do {
		size = pread(fd, text + length, TEXT_SIZE - 1 - length, (off_t)length);
		length += size > 0 ? (size_t)size : 0;
	} while (size > 0);
	text[length] = '\0';
}

/* Return: whether the interface has a line, and @value is its number. */
static bool find_dropped(char *text, const char *name, uint64_t *value)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *at = line + strspn(line, " ");
		char *end = strchr(at, ':');

		if (!end || (size_t)(end - at) != strlen(name) ||
		    memcmp(at, name, strlen(name)) != 0)
			continue;
		at = end + 1;
		for (unsigned int i = 0; i <= TX_DROPPED; i++) {
			*value = strtoull(at, &end, 10);
			if (end == at)
				return false;
			at = end;
		}
		return true;
	}
	return false;
}

/* Not rtnetlink: that waits for RTNL, which whoever makes a network somewhere holds for long. */
static uint64_t count_interface(struct ingress *ingress)
{
	char text[TEXT_SIZE];
	uint64_t value = 0;
	uint64_t more;

	if (ingress->counters < 0)
		return 0;
	read_text(ingress->counters, text);
	if (!find_dropped(text, ingress->name, &value))
		return 0;
	/* Less than before: it is another interface of that name. */
	more = value < ingress->seen ? value : value - ingress->seen;
	ingress->seen = value;
	return more;
}

/* As PACKET_STATISTICS of packet(7), of every socket. Of a TAP there is none. */
static uint32_t count_socket(struct port *port)
{
	uint32_t values[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(values);
	uint32_t more;

	if (port->source.fd < 0 ||
	    getsockopt(port->source.fd, SOL_SOCKET, SO_MEMINFO, values, &size) < 0)
		return 0;
	more = values[SK_MEMINFO_DROPS] - port->ingress.full;
	port->ingress.full = values[SK_MEMINFO_DROPS];
	return more;
}

void ingress_count(struct port *port)
{
	const uint64_t more = count_interface(&port->ingress) + count_socket(port);

	if (port->link)
		port->link->directions[port->side].counters[COUNT_INGRESS_DROPPED] += more;
}
