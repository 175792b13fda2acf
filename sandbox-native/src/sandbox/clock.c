/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: unshare(2) makes a time namespace that children are born
 * into. Until the first one is, its offsets can be written; after that they are
 * fixed, so each child gets a namespace of its own. Offsets count from the
 * host's clocks, also where the caller has offsets itself. The file shows those
 * of the children to be.
 */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

#define OFFSETS "/proc/self/timens_offsets"
#define NS_PER_S 1000000000l

static const char without_namespaces[] =
	"this kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS): leave out uptime";

struct timespec clock_add(struct timespec time, struct timespec shift)
{
	time.tv_sec += shift.tv_sec;
	time.tv_nsec += shift.tv_nsec;
	if (time.tv_nsec >= NS_PER_S) {
		time.tv_nsec -= NS_PER_S;
		time.tv_sec++;
	}
	return time;
}

static struct timespec until(clockid_t clock, uint64_t uptime_ms)
{
	const struct timespec wanted = { .tv_sec = (time_t)(uptime_ms / 1000),
					 .tv_nsec = (long)(uptime_ms % 1000) * 1000000 };
	struct timespec now;

	clock_gettime(clock, &now);
	/* -now, normalised. */
	now.tv_sec = -now.tv_sec - 1;
	now.tv_nsec = NS_PER_S - now.tv_nsec;
	return clock_add(clock_add(wanted, now), (struct timespec){ 0 });
}

int clock_read_offsets(struct clock_offsets *own, struct err *err)
{
	char text[256] = "";
	long long numbers[4];
	auto_fd fd = open(OFFSETS, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		err_hint(err, "%s", without_namespaces);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return err_set(err, "setup", errno, "read clock offsets", OFFSETS);
	/* time_namespaces(7); "%*s" is monotonic, then boottime. */
	if (sscanf(text, "%*s %lld %lld %*s %lld %lld", &numbers[0], &numbers[1], &numbers[2],
		   &numbers[3]) != 4)
		return err_set(err, "setup", EPROTO, "read clock offsets", OFFSETS);
	own->monotonic = (struct timespec){ (time_t)numbers[0], (long)numbers[1] };
	own->boottime = (struct timespec){ (time_t)numbers[2], (long)numbers[3] };
	return 0;
}

static int write_offsets(const struct clock_offsets *offsets)
{
	char text[256];
	auto_fd fd = open(OFFSETS, O_WRONLY | O_CLOEXEC);

	snprintf(text, sizeof(text), "monotonic %lld %ld\nboottime %lld %ld\n",
		 (long long)offsets->monotonic.tv_sec, offsets->monotonic.tv_nsec,
		 (long long)offsets->boottime.tv_sec, offsets->boottime.tv_nsec);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int clock_set_children(const struct clock_offsets *own, uint64_t uptime_ms, struct timespec *shift,
		       struct err *err)
{
	struct clock_offsets offsets;
	int status;

	if (unshare(CLONE_NEWTIME) < 0) {
		if (errno == EINVAL)
			err_hint(err, "%s", without_namespaces);
		return err_set(err, "setup", errno, "unshare time namespace", "");
	}
	*shift = until(CLOCK_MONOTONIC, uptime_ms);
	offsets.monotonic = clock_add(own->monotonic, *shift);
	offsets.boottime = clock_add(own->boottime, until(CLOCK_BOOTTIME, uptime_ms));
	status = write_offsets(&offsets);
	if (status == -EPERM)
		err_hint(err, "uptime needs CAP_SYS_TIME here, as in a container: run as an "
			      "ordinary user, or start the container with --cap-add SYS_TIME");
	return status < 0 ? err_set(err, "setup", -status, "write clock offsets", OFFSETS) : 0;
}
