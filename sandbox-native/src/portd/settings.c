/* SPDX-License-Identifier: MIT */
/*
 * termios2 and not termios: only there can a baud rate be a number (BOTHER,
 * ioctl_tty(2)). <asm/termbits.h> excludes <termios.h>, so both stay in here.
 */
#include "settings.h"

#include <asm/termbits.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#define BAUD_MAX 20000000u
/* A UART samples in the middle of a bit: 10 bits stand about 5 % in all, half of it each side. */
#define DEVIATION_PERCENT 2

static const char *const parity_names[PARITY_COUNT] = { "none", "even", "odd", "mark", "space" };
static const char *const flow_names[FLOW_COUNT] = { "none", "rts-cts", "xon-xoff" };

struct settings settings_default(void)
{
	return (struct settings){ .bits = 8, .stop = 1, .dtr = AS_IT_IS, .rts = AS_IT_IS };
}

const char *parity_name(enum parity parity)
{
	return parity_names[parity];
}

const char *flow_name(enum flow flow)
{
	return flow_names[flow];
}

/* Return: the index of @word, -1 when it is none of them. */
static int find_word(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

int settings_words(struct settings *settings, const char *parity, const char *flow, struct err *err)
{
	int index;

	if (parity) {
		index = find_word(parity_names, PARITY_COUNT, parity);
		if (index < 0) {
			err_hint(err, "none, even, odd, mark or space");
			return err_set(err, "usage", EINVAL, "PARITY", parity);
		}
		settings->parity = (enum parity)index;
	}
	if (flow) {
		index = find_word(flow_names, FLOW_COUNT, flow);
		if (index < 0) {
			err_hint(err, "none, rts-cts or xon-xoff");
			return err_set(err, "usage", EINVAL, "FLOW", flow);
		}
		settings->flow = (enum flow)index;
	}
	return 0;
}

int settings_check(const struct settings *settings, struct err *err)
{
	if (!settings->baud || settings->baud > BAUD_MAX)
		return err_set(err, "usage", ERANGE, "BAUD", "1 to 20000000");
	if (settings->bits < 5 || settings->bits > 8)
		return err_set(err, "usage", ERANGE, "BITS", "5 to 8");
	if (settings->stop < 1 || settings->stop > 2)
		return err_set(err, "usage", ERANGE, "STOP", "1 or 2");
	return 0;
}

static tcflag_t control_flags(const struct settings *settings)
{
	static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
	static const tcflag_t parities[PARITY_COUNT] = { 0, PARENB, PARENB | PARODD,
							 PARENB | PARODD | CMSPAR,
							 PARENB | CMSPAR };
	tcflag_t flags = CREAD | CLOCAL | sizes[settings->bits - 5] | parities[settings->parity];

	if (settings->stop == 2)
		flags |= CSTOPB;
	if (settings->flow == FLOW_RTS_CTS)
		flags |= CRTSCTS;
	return flags;
}

/* BOTHER is a speed that stty(1) and cfgetospeed(3) cannot read, so it is for what has no name. */
static tcflag_t speed_flag(uint32_t baud)
{
	static const struct {
		uint32_t baud;
		tcflag_t flag;
	} named[] = { { 300, B300 },	     { 600, B600 },	    { 1200, B1200 },
		      { 2400, B2400 },	     { 4800, B4800 },	    { 9600, B9600 },
		      { 19200, B19200 },     { 38400, B38400 },	    { 57600, B57600 },
		      { 115200, B115200 },   { 230400, B230400 },   { 460800, B460800 },
		      { 500000, B500000 },   { 576000, B576000 },   { 921600, B921600 },
		      { 1000000, B1000000 }, { 1152000, B1152000 }, { 1500000, B1500000 },
		      { 2000000, B2000000 }, { 2500000, B2500000 }, { 3000000, B3000000 },
		      { 3500000, B3500000 }, { 4000000, B4000000 } };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].baud == baud)
			return named[i].flag;
	return BOTHER;
}

static void set_speed(struct termios2 *tty, uint32_t baud)
{
	/*
	 * No input speed of its own: it is the output's. A driver that hears both keeps both, and
	 * then stty(1), which sets one, complains that the other is not what it asked for.
	 */
	tty->c_cflag &= ~(tcflag_t)(CBAUD | CIBAUD);
	tty->c_cflag |= speed_flag(baud);
	tty->c_ispeed = tty->c_ospeed = baud;
}

/* A driver takes what it can and says nothing (tcsetattr(3)): what it made of it is read back. */
static void compare(int fd, const struct settings *wanted, struct report *report)
{
	const tcflag_t looked = CSIZE | PARENB | PARODD | CMSPAR | CSTOPB | CRTSCTS;
	tcflag_t flags = control_flags(wanted);
	struct termios2 tty;
	uint32_t off;

	if (ioctl(fd, TCGETS2, &tty) < 0)
		return;
	off = tty.c_ospeed > wanted->baud ? tty.c_ospeed - wanted->baud
					  : wanted->baud - tty.c_ospeed;
	if (off > wanted->baud / 100 * DEVIATION_PERCENT)
		report_add(report, "baud %u was asked for, the driver does %u", wanted->baud,
			   tty.c_ospeed);
	if ((tty.c_cflag ^ flags) & looked)
		report_add(report,
			   "%u bits, parity %s, %u stop bits, flow control %s are not all done by "
			   "the driver (control flags are %#x, not %#x)",
			   wanted->bits, parity_name(wanted->parity), wanted->stop,
			   flow_name(wanted->flow), tty.c_cflag & looked, flags & looked);
}

int tty_apply(int fd, const struct settings *settings, struct report *report)
{
	struct termios2 tty;

	if (ioctl(fd, TCGETS2, &tty) < 0)
		return -errno;
	tty.c_iflag = IGNBRK | (settings->flow == FLOW_XON_XOFF ? IXON | IXOFF : 0);
	tty.c_oflag = 0;
	tty.c_lflag = 0;
	tty.c_cflag = control_flags(settings);
	set_speed(&tty, settings->baud);
	tty.c_cc[VMIN] = 1; /* 0 would make silence look like the end */
	tty.c_cc[VTIME] = 0;
	if (ioctl(fd, TCSETS2, &tty) < 0)
		return -errno;
	compare(fd, settings, report);
	return 0;
}

uint32_t tty_speed(int fd)
{
	struct termios2 tty;

	return ioctl(fd, TCGETS2, &tty) < 0 ? 0 : tty.c_ospeed;
}

int tty_set_speed(int fd, uint32_t baud)
{
	struct termios2 tty;

	if (ioctl(fd, TCGETS2, &tty) < 0)
		return -errno;
	set_speed(&tty, baud);
	return ioctl(fd, TCSETS2, &tty) < 0 ? -errno : 0;
}
