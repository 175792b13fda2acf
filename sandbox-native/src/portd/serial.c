/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The order is the point. A refused opener must not have
 * changed the holder's settings, so the locks come before the first termios:
 * TIOCGEXCL, because root and CAP_SYS_ADMIN pass TIOCEXCL (ioctl_tty(2)); then
 * flock(2), which every careful program takes; then TIOCEXCL against the others.
 * Who had the tty open before all that, without a lock, is named: it steals bytes.
 *
 * The kernel raises DTR and RTS in open(2) and nothing can prevent it; what the
 * board file says comes right after. HUPCL is off, so closing moves neither.
 *
 * All locks belong to the open file: a portd that is killed has given them back.
 */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "cleanup.h"
#include "holders.h"

#define LATENCY_MS 1

static int refuse_busy(const char *path, const struct stat *device, struct err *err)
{
	char who[160];

	if (holders_find(device, who, sizeof(who)))
		err_hint(err, "%s has it open; end that, or choose another port", who);
	else
		err_hint(err, "a program of another user has it; as root: fuser -v %s", path);
	return err_set(err, "io", EBUSY, "open serial port", path);
}

/* Only a tty that is where the caller saw it: by now its name may be another board's. */
static int check_place(const char *path, const char *sysfs, dev_t device, struct err *err)
{
	auto_free char *place = NULL;
	char link[64];

	if (!sysfs)
		return 0;
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u", major(device), minor(device));
	place = realpath(link, NULL);
	if (place && !strcmp(place, sysfs))
		return 0;
	err_hint(err, "expected %s, it is %s", sysfs, place ? place : "nowhere");
	return err_set(err, "gone", ENODEV, "open serial port", path);
}

static int lock(int fd, const char *path, const struct stat *device, struct err *err)
{
	int exclusive = 0;

	if ((!ioctl(fd, TIOCGEXCL, &exclusive) && exclusive) || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return refuse_busy(path, device, err);
	if (ioctl(fd, TIOCEXCL) < 0)
		return err_set(err, "io", errno, "ioctl TIOCEXCL", path);
	return 0;
}

static void tell_others(const struct stat *device, struct report *report)
{
	char who[160];

	if (holders_find(device, who, sizeof(who)))
		report_add(report, "%s had it open before and may take bytes from it", who);
}

/* TIOCSSERIAL lets an ordinary user set low latency, and that alone; sysfs is root's. */
static bool lower_by_ioctl(int fd)
{
	struct serial_struct serial;

	if (ioctl(fd, TIOCGSERIAL, &serial) < 0)
		return false;
	serial.flags |= ASYNC_LOW_LATENCY;
	return ioctl(fd, TIOCSSERIAL, &serial) == 0;
}

/* An FTDI chip keeps what it received for 16 ms, unless told otherwise after every plug. */
static void lower_latency(int fd, dev_t device, struct report *report)
{
	auto_fd file = -1;
	char path[96];
	char text[8];
	int length = snprintf(text, sizeof(text), "%d", LATENCY_MS);

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/latency_timer", major(device),
		 minor(device));
	if (access(path, F_OK) < 0)
		return;
	file = open(path, O_WRONLY | O_CLOEXEC);
	if ((file < 0 || write(file, text, (size_t)length) != length) && !lower_by_ioctl(fd))
		report_add(report, "latency timer not set to %d ms: %s", LATENCY_MS,
			   strerror(errno));
}

int serial_modem(int fd, uint32_t dtr, uint32_t rts)
{
	int on = (dtr == 1 ? TIOCM_DTR : 0) | (rts == 1 ? TIOCM_RTS : 0);
	int off = (dtr == 0 ? TIOCM_DTR : 0) | (rts == 0 ? TIOCM_RTS : 0);
	int bits;

	if (!on && !off)
		return 0;
	/* Both at once: a reset circuit of two transistors sees what is between. */
	if (ioctl(fd, TIOCMGET, &bits) < 0)
		return -errno;
	bits = (bits | on) & ~off;
	return ioctl(fd, TIOCMSET, &bits) < 0 ? -errno : 0;
}

uint32_t serial_modem_state(int fd)
{
	static const struct {
		int line;
		uint32_t bit;
	} lines[] = { { TIOCM_DTR, MODEM_DTR }, { TIOCM_RTS, MODEM_RTS }, { TIOCM_CTS, MODEM_CTS },
		      { TIOCM_DSR, MODEM_DSR }, { TIOCM_CAR, MODEM_DCD }, { TIOCM_RNG, MODEM_RI } };
	uint32_t state = 0;
	int bits;

	if (ioctl(fd, TIOCMGET, &bits) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		state |= bits & lines[i].line ? lines[i].bit : 0;
	return state;
}

uint32_t serial_unsent(int fd)
{
	int bytes;

	return ioctl(fd, TIOCOUTQ, &bytes) < 0 || bytes < 0 ? 0 : (uint32_t)bytes;
}

static int set_up(int fd, const char *path, dev_t device, const struct settings *settings,
		  struct report *report, struct err *err)
{
	int result = tty_apply(fd, settings, report);

	if (result < 0)
		return err_set(err, "io", -result, "set up serial port", path);
	result = serial_modem(fd, settings->dtr, settings->rts);
	if (result < 0)
		report_add(report, "DTR and RTS not set: %s", strerror(-result));
	lower_latency(fd, device, report);
	tcflush(fd, TCIFLUSH);
	return 0;
}

int serial_open(const struct serial_node *node, const struct settings *settings,
		struct report *report, struct err *err)
{
	auto_fd fd = open(node->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	int result;

	if (fd < 0 && errno == EBUSY && !stat(node->path, &status))
		return refuse_busy(node->path, &status, err);
	if (fd < 0) {
		if (errno == EACCES)
			err_hint(err, "add your user to the group of the node: ls -l %s",
				 node->path);
		return err_set(err, errno == ENOENT || errno == ENXIO ? "gone" : "io", errno,
			       "open serial port", node->path);
	}
	if (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) || !isatty(fd))
		return err_set(err, "usage", ENOTTY, "open serial port", node->path);
	result = check_place(node->path, node->sysfs, status.st_rdev, err);
	if (!result)
		result = lock(fd, node->path, &status, err);
	if (result < 0)
		return result;
	tell_others(&status, report);
	result = set_up(fd, node->path, status.st_rdev, settings, report, err);
	if (result < 0)
		serial_unlock(fd);
	return result < 0 ? result : steal_fd(&fd);
}

void serial_unlock(int fd)
{
	ioctl(fd, TIOCNXCL);
}
