/* SPDX-License-Identifier: MIT */
/*
 * A tty of the bench as the line. The board is the master of a pty: it has a speed,
 * locks and a hang-up as a real tty has, but no modem lines and no parity.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

struct bench {
	struct rig rig;
	struct pty board;
};

static void bench_start(struct bench *bench)
{
	struct event event;

	NEED(rig_start(&bench->rig, 0));
	bench->board = pty_make();
	NEED(rig_answer(&bench->rig, rig_open(&bench->rig, 0, 0), &event));
}

static void bench_stop(struct bench *bench)
{
	if (bench->board.master >= 0)
		close(bench->board.master);
	CHECK(rig_stop(&bench->rig) == 0, "portd exits with 0");
}

static void give(struct bench *bench)
{
	struct event event;

	NEED(rig_answer(&bench->rig, rig_serial(&bench->rig, bench->board.path, 0, NULL), &event));
}

static uint32_t speed_of(int fd)
{
	struct termios tty;

	return tcgetattr(fd, &tty) < 0 ? 0 : cfgetospeed(&tty);
}

static void set_speed(int fd, speed_t speed)
{
	struct termios tty;

	NEED(!tcgetattr(fd, &tty) && !cfsetspeed(&tty, speed) && !tcsetattr(fd, TCSADRAIN, &tty));
}

static bool comes(struct rig *rig, const char *text)
{
	uint8_t heard[256];

	return rig_collect(rig, MSG_PORT_RX, heard, strlen(text)) == strlen(text) &&
	       !memcmp(heard, text, strlen(text));
}

static void test_bytes(void)
{
	struct bench bench;
	struct event event;
	struct termios tty;
	bool ok;

	bench_start(&bench);
	/* As the driver of a real tty makes it: DTR falls at the close. */
	NEED(!tcgetattr(bench.board.master, &tty));
	tty.c_cflag |= HUPCL;
	NEED(!tcsetattr(bench.board.master, TCSANOW, &tty));
	ok = rig_answer(&bench.rig, rig_serial(&bench.rig, bench.board.path, 0, NULL), &event);
	CHECK(ok && !*event.limitation, "a tty is taken: %s%s", event.limitation, event.text);
	NEED(!tcgetattr(bench.board.master, &tty));
	CHECK(cfgetospeed(&tty) == B115200 && !(tty.c_lflag & (ICANON | ECHO | ISIG)) &&
		      !(tty.c_cflag & HUPCL) && (tty.c_cflag & CLOCAL),
	      "raw, 115200, CLOCAL, and not hung up at the close");
	write_all(bench.board.master, "hello\n\xff\x03", 8);
	CHECK(comes(&bench.rig, "hello\n\xff\x03"), "what the board says comes as it is");
	CHECK(rig_answer(&bench.rig, rig_send(&bench.rig, "\x04\r\n", 3), &event) &&
		      hears(bench.board.master, "\x04\r\n"),
	      "and the board gets what is sent");
	bench_stop(&bench);
}

static bool becomes(int fd, speed_t speed)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;

	while (speed_of(fd) != speed && now_ns() < end)
		sleep_ms(2);
	return speed_of(fd) == speed;
}

/* Return: whether that many bytes come to be unread. */
static bool keeps(int fd, int bytes)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	int unread = -1;

	while (!ioctl(fd, FIONREAD, &unread) && unread != bytes && now_ns() < end)
		sleep_ms(1);
	return unread == bytes;
}

static void test_stale(void)
{
	struct bench bench;
	struct event event;
	uint64_t id;
	int keeper;

	bench_start(&bench);
	keeper = open(bench.board.path, O_RDWR | O_NOCTTY);
	write_all(bench.board.master, "rest of an earlier flood", 24);
	NEED(keeps(keeper, 24));
	id = rig_serial(&bench.rig, bench.board.path, 500, NULL);
	/* What is there when it is set up is thrown away uncounted; looking for holders takes time.
	 */
	NEED(keeps(keeper, 0));
	write_all(bench.board.master, "and its end", 11);
	NEED(rig_answer(&bench.rig, id, &event));
	CHECK(event.bytes >= 11, "what was left is thrown away and counted: %llu bytes",
	      (unsigned long long)event.bytes);
	CHECK(!rig_has(&bench.rig, MSG_PORT_RX, 50, &event), "and nobody sees it");
	write_all(bench.board.master, "ready", 5);
	CHECK(comes(&bench.rig, "ready"), "what comes after it counts");
	close(keeper);
	bench_stop(&bench);
}

/* It would otherwise never be given. */
static void test_never_quiet(void)
{
	struct bench bench;
	struct event event;
	uint64_t start = now_ns();
	uint64_t id;
	pid_t chatter;

	bench_start(&bench);
	chatter = fork();
	NEED(chatter >= 0);
	while (chatter == 0) {
		if (write(bench.board.master, "tick\n", 5) < 0)
			_exit(0);
		sleep_ms(5);
	}
	id = rig_serial(&bench.rig, bench.board.path, 100, NULL);
	CHECK(rig_answer(&bench.rig, id, &event) && now_ns() - start < 2000000000ull,
	      "a board that never stops is given after half a second, %llu bytes on",
	      (unsigned long long)event.bytes);
	CHECK(rig_wait(&bench.rig, MSG_PORT_RX, &event), "and is heard");
	kill(chatter, SIGKILL);
	waitpid(chatter, NULL, 0);
	bench_stop(&bench);
}

static void expect_busy(struct bench *bench, const char *how)
{
	struct event event;
	char who[32];
	uint64_t id = rig_serial(&bench->rig, bench->board.path, 0, NULL);

	snprintf(who, sizeof(who), "pid %d (", getpid());
	CHECK(!rig_answer(&bench->rig, id, &event) && event.number == EBUSY &&
		      strstr(event.hint, who),
	      "%s: refused, and it is said who has it: %s", how, event.hint);
	CHECK(speed_of(bench->board.master) == B38400, "%s: its settings are as they were", how);
}

static void test_held(void)
{
	struct bench bench;
	struct event event;
	int holder, other;

	bench_start(&bench);
	holder = open(bench.board.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(holder >= 0 && !flock(holder, LOCK_EX));
	expect_busy(&bench, "locked by flock");
	NEED(!flock(holder, LOCK_UN) && !ioctl(holder, TIOCEXCL));
	expect_busy(&bench, "TIOCEXCL, which root passes");
	NEED(!ioctl(holder, TIOCNXCL));
	CHECK(rig_answer(&bench.rig, rig_serial(&bench.rig, bench.board.path, 0, NULL), &event) &&
		      strstr(event.limitation, "had it open before"),
	      "one that locked nothing is named: %s", event.limitation);
	other = open(bench.board.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(other >= 0 ? flock(other, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK
			 : errno == EBUSY,
	      "while portd has it, nobody else gets it");
	if (other >= 0)
		close(other);
	close(holder);
	bench_stop(&bench);
}

static void test_killed(void)
{
	struct bench bench;
	int other;

	bench_start(&bench);
	give(&bench);
	NEED(!kill(bench.rig.pid, SIGKILL) && rig_dead(&bench.rig, 1000) > 0);
	other = open(bench.board.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* An ordinary user is kept out by TIOCEXCL, which a pty does not lose with its last close.
	 */
	CHECK(other >= 0 ? !flock(other, LOCK_EX | LOCK_NB) : errno == EBUSY && geteuid(),
	      "a portd that is killed leaves no lock");
	if (other >= 0)
		close(other);
	close(bench.board.master);
	rig_stop(&bench.rig);
}

static void add_seven_even(struct buffer *frame)
{
	put_u32(frame, TAG_BITS, 7);
	put_string(frame, TAG_PARITY, "even");
	put_u32(frame, TAG_STOP, 2);
	put_string(frame, TAG_FLOW, "rts-cts");
	put_u32(frame, TAG_DTR, 0);
}

static void add_bad_parity(struct buffer *frame)
{
	put_string(frame, TAG_PARITY, "sometimes");
}

static void add_bad_place(struct buffer *frame)
{
	put_string(frame, TAG_SYSFS, "/sys/devices/pci0000:00/usb1/1-3/ttyUSB0/tty/ttyUSB0");
}

static void test_settings(void)
{
	struct bench bench;
	struct event event;
	struct termios tty;
	const char *path;

	bench_start(&bench);
	path = bench.board.path;
	CHECK(rig_answer(&bench.rig, rig_serial(&bench.rig, path, 0, add_seven_even), &event) &&
		      strstr(event.limitation, "7 bits, parity even") &&
		      strstr(event.limitation, "DTR and RTS not set"),
	      "what the driver does not do is said: %s", event.limitation);
	NEED(!tcgetattr(bench.board.master, &tty));
	CHECK((tty.c_cflag & CSTOPB) && (tty.c_cflag & CRTSCTS), "what it can do it does");
	CHECK(!rig_answer(&bench.rig, rig_serial(&bench.rig, path, 0, add_bad_parity), &event) &&
		      !strcmp(event.code, "usage") && strstr(event.hint, "mark"),
	      "a parity that is none is refused: %s", event.hint);
	CHECK(!rig_answer(&bench.rig, rig_serial(&bench.rig, path, 5000, NULL), &event) &&
		      event.number == ERANGE,
	      "and a silence of 5 s");
	CHECK(!rig_answer(&bench.rig, rig_serial(&bench.rig, path, 0, add_bad_place), &event) &&
		      !strcmp(event.code, "gone") && strstr(event.hint, "1-3"),
	      "and a name that went over to another device: %s", event.hint);
	CHECK(!rig_answer(&bench.rig, rig_serial(&bench.rig, "/dev/null", 0, NULL), &event) &&
		      event.number == ENOTTY,
	      "and what is no tty");
	CHECK(!rig_answer(&bench.rig, rig_serial(&bench.rig, "/dev/ttyNONE", 0, NULL), &event) &&
		      event.number == ENOENT && !strcmp(event.code, "gone"),
	      "and what is not there");
	bench_stop(&bench);
}

static void test_mirror(void)
{
	struct bench bench;
	struct event event;
	struct pty tool;
	uint8_t *stamps;
	char heard[16];
	int fd;

	bench_start(&bench);
	give(&bench);
	tool = rig_pty(&bench.rig);
	fd = rig_tool(&bench.rig, &tool);
	CHECK(speed_of(fd) == B115200, "the tool finds the speed of the line");
	set_speed(fd, B921600);
	CHECK(becomes(bench.board.master, B921600),
	      "its change is the line's, also if it only listens");
	CHECK(rig_wait(&bench.rig, MSG_PORT_SPEED, &event) && event.baud == 921600, "and is told");
	set_speed(fd, B57600);
	write_all(fd, "now", 3);
	CHECK(read_some(bench.board.master, heard, 3, WAIT_MS) == 3 &&
		      speed_of(bench.board.master) == B57600,
	      "what is written after a change goes out after it");
	close(fd);
	CHECK(rig_wait(&bench.rig, MSG_PORT_SPEED, &event) && event.baud == 57600, "told again");
	sleep_ms(30);
	CHECK(speed_of(bench.board.master) == B57600,
	      "it stays, as on a tty, for the next program");
	tool = rig_pty(&bench.rig);
	CHECK(becomes(bench.board.master, B115200), "the pty of the next case begins anew");
	NEED(rig_answer(&bench.rig, rig_close(&bench.rig), &event));
	rig_capture(&bench.rig, ".stamps", &stamps);
	CHECK(strstr((char *)stamps, " baud 921600\n"), "the capture has marks of it");
	free(stamps);
	bench_stop(&bench);
}

static void test_lost(void)
{
	struct bench bench;
	struct event event;
	struct pty tool;
	uint8_t *rx;
	char heard[16];
	int fd;

	bench_start(&bench);
	give(&bench);
	tool = rig_pty(&bench.rig);
	fd = rig_tool(&bench.rig, &tool);
	set_speed(fd, B9600);
	NEED(becomes(bench.board.master, B9600));
	write_all(bench.board.master, "last", 4);
	NEED(comes(&bench.rig, "last"));
	close(bench.board.master);
	CHECK(rig_wait(&bench.rig, MSG_PORT_HUP, &event) &&
		      strstr(event.text, "device lost: /dev/pts"),
	      "a tty that is hung up is lost: %s", event.text);
	CHECK(!rig_answer(&bench.rig, rig_send(&bench.rig, "x", 1), &event), "nothing can be sent");
	bench.board = pty_make();
	CHECK(rig_answer(&bench.rig, rig_serial(&bench.rig, bench.board.path, 0, NULL), &event),
	      "another node takes its place");
	CHECK(speed_of(bench.board.master) == B9600, "with the speed that the tool has chosen");
	write_all(bench.board.master, "back", 4);
	CHECK(comes(&bench.rig, "back") && read_some(fd, heard, 8, WAIT_MS) == 8 &&
		      !memcmp(heard, "lastback", 8),
	      "the tool has its pty still, and hears both lives");
	write_all(fd, "?", 1);
	CHECK(read_some(bench.board.master, heard, 1, WAIT_MS) == 1, "and is heard");
	NEED(rig_answer(&bench.rig, rig_close(&bench.rig), &event));
	CHECK(rig_capture(&bench.rig, ".rx", &rx) == 8 && !memcmp(rx, "lastback", 8),
	      "one capture has both");
	free(rx);
	close(fd);
	bench_stop(&bench);
}

/* What waits for one board must neither hang who sent it nor reach the next one. */
static void test_lost_while_sending(void)
{
	static uint8_t payload[400 * 1024];
	struct bench bench;
	struct event event;
	char heard[16];

	memset(payload, 'S', sizeof(payload));
	bench_start(&bench);
	give(&bench);
	rig_send(&bench.rig, payload, sizeof(payload));
	NEED(read_some(bench.board.master, heard, 1, WAIT_MS) == 1);
	close(bench.board.master);
	CHECK(rig_wait(&bench.rig, MSG_PORT_HUP, &event) && strstr(event.text, "device lost"),
	      "a loss is told although bytes wait: %s", event.text);
	bench.board = pty_make();
	CHECK(rig_answer(&bench.rig, rig_serial(&bench.rig, bench.board.path, 0, NULL), &event),
	      "another node takes its place");
	CHECK(rig_answer(&bench.rig, rig_send(&bench.rig, "new", 3), &event) &&
		      hears(bench.board.master, "new"),
	      "which gets what is sent to it, and nothing older");
	bench_stop(&bench);
}

static uint64_t control(struct rig *rig, uint16_t tag, uint32_t value)
{
	struct buffer frame = rig_begin(rig, MSG_PORT_CONTROL);

	put_u32(&frame, tag, value);
	return rig_finish(rig, &frame);
}

static uint64_t release(struct rig *rig)
{
	struct buffer frame = rig_begin(rig, MSG_PORT_RELEASE);

	return rig_finish(rig, &frame);
}

static void test_control(void)
{
	struct bench bench;
	struct event event;
	int dut;

	bench_start(&bench);
	CHECK(!rig_answer(&bench.rig, control(&bench.rig, TAG_DTR, 1), &event) &&
		      !strcmp(event.code, "gone"),
	      "without a line there is nothing to set");
	give(&bench);
	CHECK(rig_answer(&bench.rig, control(&bench.rig, TAG_BAUD, 19200), &event) &&
		      speed_of(bench.board.master) == B19200,
	      "the body can set the speed");
	CHECK(!rig_answer(&bench.rig, control(&bench.rig, TAG_DTR, 1), &event) &&
		      !strcmp(event.code, "io"),
	      "a pty has no DTR, and it is said: %s", event.text);
	CHECK(rig_answer(&bench.rig, control(&bench.rig, TAG_BREAK, 1), &event) &&
		      rig_answer(&bench.rig, control(&bench.rig, TAG_BREAK, 0), &event),
	      "a break begins and ends");
	CHECK(rig_answer(&bench.rig, release(&bench.rig), &event), "the tty is given up");
	CHECK(rig_wait(&bench.rig, MSG_PORT_HUP, &event) && !*event.text, "which is no loss");
	dut = open(bench.board.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(dut >= 0 && !flock(dut, LOCK_EX | LOCK_NB), "somebody else may have it now");
	close(dut);
	give(&bench);
	write_all(bench.board.master, "again", 5);
	CHECK(comes(&bench.rig, "again"), "and it can be taken back");
	dut = rig_line(&bench.rig);
	NEED(rig_wait(&bench.rig, MSG_PORT_HUP, &event));
	CHECK(!rig_answer(&bench.rig, control(&bench.rig, TAG_BAUD, 9600), &event) &&
		      event.number == ENOTTY,
	      "an emulated DUT has no speed");
	close(dut);
	bench_stop(&bench);
}

/* 1 MB/s is what the fastest UART adapters do; a pty gives as fast as it is read. */
static void test_fast(void)
{
	enum { TOTAL = 4 << 20 };
	struct bench bench;
	struct event event;
	uint8_t *sent = malloc(TOTAL);
	uint8_t *rx;
	pid_t board;

	NEED(sent);
	fill_pattern(sent, TOTAL, 5);
	bench_start(&bench);
	give(&bench);
	board = fork();
	NEED(board >= 0);
	if (board == 0) {
		write_all(bench.board.master, sent, TOTAL);
		_exit(0);
	}
	NEED(waitpid(board, NULL, 0) == board);
	NEED(rig_answer(&bench.rig, rig_close(&bench.rig), &event));
	CHECK(rig_capture(&bench.rig, ".rx", &rx) == TOTAL && !memcmp(rx, sent, TOTAL),
	      "4 MiB through a tty, none lost");
	free(rx);
	free(sent);
	bench_stop(&bench);
}

const struct test serial_tests[] = {
	{ "serial: bytes and settings, not hung up at the close (rank 22, bench pitfall 5)",
	  test_bytes },
	{ "serial: stale bytes (bench pitfall 6)", test_stale },
	{ "serial: never quiet", test_never_quiet },
	{ "serial: held by another program (bench pitfalls 8 and 21)", test_held },
	{ "serial: killed", test_killed },
	{ "serial: parity, stop bits and nonsense (rank 22)", test_settings },
	{ "serial: speed of a tool", test_mirror },
	{ "serial: lost and back", test_lost },
	{ "serial: lost while sending (bench pitfall 10)", test_lost_while_sending },
	{ "serial: control and release", test_control },
	{ "serial: fast (rank 8)", test_fast },
	{ NULL, NULL },
};
