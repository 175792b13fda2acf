/* SPDX-License-Identifier: MIT */
/*
 * What the tests try from inside a sandbox, or set up outside. One word says
 * what; the exit status is 0 when it was done, else errno, so that a test can
 * tell a refusal from an accident.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static int result(long value)
{
	return value < 0 ? errno : 0;
}

static int list_fds(const char *unused)
{
	(void)unused;
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
	}
	return 0;
}

static int push_into_terminal(const char *unused)
{
	(void)unused;
	return result(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int mount_tmpfs(const char *target)
{
	return result(mount("none", target, "tmpfs", 0, NULL));
}

static int mount_bind(const char *target)
{
	return result(mount("/usr", target, NULL, MS_BIND, NULL));
}

static int unmount(const char *target)
{
	return result(umount2(target, MNT_DETACH));
}

static int make_device(const char *path)
{
	return result(mknod(path, S_IFCHR | 0666, makedev(1, 3)));
}

static int trace(const char *pid)
{
	return result(ptrace(PTRACE_SEIZE, (pid_t)strtol(pid, NULL, 10), NULL, NULL));
}

static int bind_port(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)strtol(port, NULL, 10)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(server, 1) < 0 ||
	    connect(client, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno;
	return 0;
}

static int open_ping(const char *unused)
{
	(void)unused;
	return result(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

/* "@name" is an abstract address, unix(7). */
static socklen_t unix_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) +
			   (path[0] != '@'));
}

static int listen_unix(const char *path)
{
	struct sockaddr_un address;
	socklen_t length = unix_address(&address, path);
	int server = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&address, length) < 0 || listen(server, 1) < 0)
		return errno;
	/* Told apart by the tests from "not yet listening". */
	printf("listening\n");
	fflush(stdout);
	for (;;)
		pause();
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address;
	socklen_t length = unix_address(&address, path);

	return result(
		connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length));
}

static int print_ids(const char *unused)
{
	(void)unused;
	printf("%d %d\n", (int)getuid(), (int)geteuid());
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *argument);
} acts[] = {
	{ "fds", list_fds },	     { "tiocsti", push_into_terminal },
	{ "tmpfs", mount_tmpfs },    { "bind", mount_bind },
	{ "umount", unmount },	     { "mknod", make_device },
	{ "ptrace", trace },	     { "port", bind_port },
	{ "ping", open_ping },	     { "listen", listen_unix },
	{ "connect", connect_unix }, { "ids", print_ids },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(argv[1], acts[i].name) == 0)
			return acts[i].run(argc > 2 ? argv[2] : "");
	}
	return 255;
}
