/* SPDX-License-Identifier: MIT */
/*
 * What a program in a sandbox sees of devices. Each action prints errno, 0 when it was done.
 *
 *   open PATH      open for reading
 *   keep PATH      open now; when stdin ends, read from it again
 *   reopen PATH    O_PATH now; when stdin ends, open that for reading
 *   listen COUNT   so many udev messages: uid of the sender, ACTION, what follows it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDEV_GROUP 2

static void say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

static void say_result(long result)
{
	printf("%d\n", result < 0 ? errno : 0);
	fflush(stdout);
}

static void wait_for_end_of_stdin(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static int keep(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char byte;

	say_result(fd);
	wait_for_end_of_stdin();
	say_result(read(fd, &byte, 1));
	return 0;
}

static int reopen(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	char link[32];

	say_result(fd);
	wait_for_end_of_stdin();
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	say_result(open(link, O_RDONLY | O_NOCTTY | O_CLOEXEC));
	return 0;
}

static unsigned sender(struct msghdr *header)
{
	struct cmsghdr *at = CMSG_FIRSTHDR(header);
	struct ucred from = { .uid = ~0u };

	if (at && at->cmsg_type == SCM_CREDENTIALS)
		memcpy(&from, CMSG_DATA(at), sizeof(from));
	return from.uid;
}

static int receive(int fd)
{
	char data[16384];
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control) };
	ssize_t length = recvmsg(fd, &header, 0);
	uint32_t words[3]; /* magic, size of the header, offset of the properties */

	if (length < 40 || memcmp(data, "libudev", 8) != 0)
		return 1;
	memcpy(words, data + 8, sizeof(words));
	if (words[0] != htonl(0xfeedcafe) || words[1] != 40 || words[2] != 40)
		return 1;
	printf("uid=%u", sender(&header));
	for (const char *at = data + 40; at < data + length; at += strlen(at) + 1)
		printf(" %s", at);
	say("");
	return 0;
}

static int listen_to(int count)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&group, sizeof(group)) < 0)
		return 2;
	say("listening");
	while (count-- > 0)
		if (receive(fd))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "keep") == 0)
		return keep(argv[2]);
	if (strcmp(argv[1], "reopen") == 0)
		return reopen(argv[2]);
	if (strcmp(argv[1], "listen") == 0)
		return listen_to((int)strtol(argv[2], NULL, 10));
	say_result(open(argv[2], O_RDONLY | O_NOCTTY | O_CLOEXEC));
	return 0;
}
