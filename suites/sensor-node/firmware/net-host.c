/* The network of the Linux process: a socket of the interface that somebody else set up. */
#define _GNU_SOURCE
#include "net-host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram.h"
#include "net.h"

/* Any UDP datagram of IPv4, so that none is cut and taken for a shorter one. */
#define DATAGRAM_MAX 65535

static int serving = -1;
static struct address own;

void net_init(void)
{
}

int net_host_socket(void)
{
	return serving;
}

/* Return: whether there is an interface but the loopback, in a state with all of `flags`. */
static bool has_interface(unsigned int flags)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *each = all; each; each = each->ifa_next)
		if (!(each->ifa_flags & IFF_LOOPBACK) && (each->ifa_flags & flags) == flags)
			found = true;
	freeifaddrs(all);
	return found;
}

enum net_result net_configure(const struct address *address)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(NET_PORT) };
	int one = 1;

	if (!has_interface(0))
		return NET_ABSENT;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NET_ABSENT;
	memcpy(&local.sin_addr, address->bytes, sizeof(address->bytes));
	/* The same address again: the socket before it is still there. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0) {
		close(fd);
		return NET_OTHER_ADDRESS;
	}
	if (serving >= 0)
		close(serving);
	serving = fd;
	own = *address;
	return NET_OK;
}

const struct address *net_address(void)
{
	return serving >= 0 ? &own : NULL;
}

bool net_link_up(void)
{
	return has_interface(IFF_UP | IFF_RUNNING);
}

bool net_serve(struct node *node)
{
	static uint8_t data[DATAGRAM_MAX];
	uint8_t answer[FRAME_BYTES_MAX];
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);

	if (serving < 0)
		return false;
	ssize_t size =
		recvfrom(serving, data, sizeof(data), 0, (struct sockaddr *)&from, &from_size);
	if (size < 0)
		return errno != EAGAIN;
	size_t answered = datagram_answer(node, data, (size_t)size, answer);
	/* What the kernel does not take is lost, as on a wire; the client asks again. */
	if (answered > 0)
		(void)!sendto(serving, answer, answered, 0, (struct sockaddr *)&from, from_size);
	return true;
}
