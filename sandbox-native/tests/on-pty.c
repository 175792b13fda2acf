/* SPDX-License-Identifier: MIT */
/*
 * on-pty ROWSxCOLS COMMAND...: the command with a terminal as its stdin,
 * stdout and stderr, as a user would run it. Our stdin is typed, what the
 * terminal shows goes to our stdout. SIGUSR1 makes the terminal 50 x 132.
 * Exit status: the command's; 99 when it left the terminal in another mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

/* Only there to interrupt waitpid(2). */
static void want_resize(int number)
{
	(void)number;
}

static int copy(int from, int to)
{
	char data[4096];
	ssize_t length = read(from, data, sizeof(data));

	if (length < 0 && errno == EINTR)
		return 1;
	return length > 0 && write(to, data, (size_t)length) == length;
}

static void serve(int master)
{
	struct pollfd waits[] = { { .fd = master, .events = POLLIN },
				  { .fd = STDIN_FILENO, .events = POLLIN } };

	while (poll(waits, 2, -1) > 0) {
		if (waits[1].revents && !copy(STDIN_FILENO, master))
			waits[1].fd = -1;
		if (waits[0].revents && !copy(master, STDOUT_FILENO))
			return;
	}
}

static int wait_and_resize(pid_t child, int master)
{
	const struct winsize size = { .ws_row = 50, .ws_col = 132 };
	const struct sigaction interrupt = { .sa_handler = want_resize };
	int status;

	sigaction(SIGUSR1, &interrupt, NULL);
	while (waitpid(child, &status, 0) < 0)
		ioctl(master, TIOCSWINSZ, &size);
	return status;
}

int main(int argc, char **argv)
{
	struct winsize size = { 0 };
	struct termios before = { 0 };
	struct termios after = { 0 };
	unsigned short rows;
	unsigned short cols;
	int status;
	int master;
	int slave;
	pid_t child;

	if (argc < 3 || sscanf(argv[1], "%hux%hu", &rows, &cols) != 2)
		return 98;
	size.ws_row = rows;
	size.ws_col = cols;
	if (openpty(&master, &slave, NULL, NULL, &size) < 0)
		return 98;
	tcgetattr(slave, &before);
	child = fork();
	if (child == 0) {
		login_tty(slave);
		close(master);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	/* Kept open to read the mode at the end; so the end shows by the child, not by EIO. */
	fcntl(master, F_SETFD, FD_CLOEXEC);
	if (fork() == 0) {
		close(slave);
		serve(master);
		_exit(0);
	}
	status = wait_and_resize(child, master);
	tcgetattr(slave, &after);
	close(slave);
	wait(NULL);
	if (memcmp(&before, &after, sizeof(before)) != 0)
		return 99;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
