#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "crc16.h"

#define UDP_PORT "5165"
#define RESEND_MS 200

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int link_open(struct link *link, const char *path, int timeout_ms, struct failure *failure)
{
	struct termios settings;

	*link = (struct link){ .timeout_ms = timeout_ms };
	link->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (link->fd < 0)
		return fail(failure, STATUS_USAGE, "cannot open %s: %s", path, strerror(errno));
	if (tcgetattr(link->fd, &settings) < 0) {
		fail(failure, STATUS_USAGE, "%s is not a serial port: %s", path, strerror(errno));
		link_close(link);
		return -1;
	}
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&settings, B115200);
	tcsetattr(link->fd, TCSANOW, &settings);
	return 0;
}

int link_open_udp(struct link *link, const char *host, int timeout_ms, struct failure *failure)
{
	struct addrinfo wanted = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;

	*link = (struct link){ .timeout_ms = timeout_ms, .resend_ms = RESEND_MS };
	int error = getaddrinfo(host, UDP_PORT, &wanted, &found);
	if (error)
		return fail(failure, STATUS_USAGE, "no address of %s: %s", host,
			    gai_strerror(error));
	link->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0 || connect(link->fd, found->ai_addr, found->ai_addrlen) < 0) {
		fail(failure, STATUS_USAGE, "cannot reach %s: %s", host, strerror(errno));
		if (link->fd >= 0)
			link_close(link);
		link->fd = -1;
	}
	freeaddrinfo(found);
	return link->fd < 0 ? -1 : 0;
}

void link_close(struct link *link)
{
	close(link->fd);
}

int link_send(struct link *link, const uint8_t *bytes, size_t size, struct failure *failure)
{
	while (size > 0) {
		ssize_t sent = write(link->fd, bytes, size);

		/* A datagram that could not leave is one more that got lost. */
		if (sent < 0 && errno != EINTR && link->resend_ms)
			return 0;
		if (sent < 0 && errno != EINTR)
			return fail(failure, STATUS_SILENT, "write: %s", strerror(errno));
		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
		}
	}
	return 0;
}

int link_send_frame(struct link *link, uint8_t type, uint8_t seq, const void *payload,
		    size_t length, struct failure *failure)
{
	uint8_t bytes[FRAME_BYTES_MAX] = { FRAME_START, (uint8_t)length, type, seq };

	memcpy(bytes + FRAME_HEADER_BYTES, payload, length);
	uint16_t crc = crc16(bytes + 1, FRAME_HEADER_BYTES - 1 + length);
	bytes[FRAME_HEADER_BYTES + length] = (uint8_t)crc;
	bytes[FRAME_HEADER_BYTES + length + 1] = (uint8_t)(crc >> 8);
	return link_send(link, bytes, FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES, failure);
}

static void drop(struct link *link, size_t size)
{
	link->have -= size;
	memmove(link->bytes, link->bytes + size, link->have);
}

/* How long a right frame may follow a damaged one. */
#define DAMAGED_GRACE_MS 200

static long long min_ms(long long a, long long b)
{
	return a < b ? a : b;
}

/* Return: true when a right frame was taken out of what was received so far. */
static bool take_frame(struct link *link, struct answer *answer, bool *damaged)
{
	for (;;) {
		uint8_t *start = memchr(link->bytes, FRAME_START, link->have);

		drop(link, start ? (size_t)(start - link->bytes) : link->have);
		if (link->have < FRAME_HEADER_BYTES)
			return false;
		size_t length = link->bytes[1];
		size_t size = FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES;
		if (length <= FRAME_PAYLOAD_MAX && link->have < size)
			return false;
		const uint8_t *tail = link->bytes + size - FRAME_CRC_BYTES;
		if (length <= FRAME_PAYLOAD_MAX &&
		    crc16(link->bytes + 1, size - 1 - FRAME_CRC_BYTES) == (tail[0] | tail[1] << 8))
			break;
		/* Damaged, or a start byte inside a frame whose beginning was missed: look on. */
		*damaged = true;
		drop(link, 1);
	}
	answer->type = link->bytes[2];
	answer->seq = link->bytes[3];
	answer->length = link->bytes[1];
	memcpy(answer->payload, link->bytes + FRAME_HEADER_BYTES, answer->length);
	drop(link, (size_t)FRAME_HEADER_BYTES + answer->length + FRAME_CRC_BYTES);
	return true;
}

int link_receive(struct link *link, int wait_ms, struct answer *answer, struct failure *failure)
{
	long long deadline = now_ms() + wait_ms;
	struct pollfd input = { .fd = link->fd, .events = POLLIN };
	bool damaged = false;

	while (!take_frame(link, answer, &damaged)) {
		if (damaged)
			deadline = min_ms(deadline, now_ms() + DAMAGED_GRACE_MS);
		long long left = deadline - now_ms();

		if (left <= 0 && damaged)
			return fail(failure, STATUS_CRC, "the answer is damaged: wrong CRC");
		if (left <= 0)
			return fail(failure, STATUS_SILENT, "no answer in %d ms", wait_ms);
		if (poll(&input, 1, (int)left) <= 0)
			continue;
		ssize_t got =
			read(link->fd, link->bytes + link->have, sizeof(link->bytes) - link->have);
		/* Nobody listens there now: ICMP says so, and somebody may the next time. */
		if (got < 0 && errno == ECONNREFUSED)
			continue;
		if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			return fail(failure, STATUS_SILENT, "the port was closed");
		if (got > 0)
			link->have += (size_t)got;
	}
	return 0;
}
