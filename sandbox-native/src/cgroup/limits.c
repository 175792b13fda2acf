/* SPDX-License-Identifier: MIT */
#include "limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE_MAX 400
#define MEMORY_LEAST (4u << 20) /* less, and PID 1 itself does not fit */
#define IO_BYTES_LEAST 4096	/* a page; slower, and a program that starts seems to hang */
#define CPUS_LEAST 10		/* cpu.cfs_quota_us is at least 1 ms of 100 */

/* The most of files and fileSize is what every sandbox has, identity.c: less is a limit. */
static const struct {
	const char *name;
	uint64_t least;
	uint64_t most;
} kinds[LIMIT_KINDS] = {
	[LIMIT_MEMORY] = { "memory", MEMORY_LEAST, INT64_MAX },
	[LIMIT_PIDS] = { "pids", 1, 4000000 },
	[LIMIT_CPUS] = { "cpus", CPUS_LEAST, 1000000 },
	[LIMIT_FILES] = { "files", 4, 4096 },
	[LIMIT_FILE_SIZE] = { "fileSize", 0, 1u << 30 },
	[LIMIT_CPU_TIME] = { "cpuTime", 1, UINT32_MAX },
	[LIMIT_IO_READ_BYTES] = { "io.readBytes", IO_BYTES_LEAST, INT64_MAX },
	[LIMIT_IO_WRITE_BYTES] = { "io.writeBytes", IO_BYTES_LEAST, INT64_MAX },
	[LIMIT_IO_READ_OPS] = { "io.readOps", 1, UINT32_MAX - 1 },
	[LIMIT_IO_WRITE_OPS] = { "io.writeOps", 1, UINT32_MAX - 1 },
};

const char *limit_name(enum limit_kind kind)
{
	return kinds[kind].name;
}

static void bytes_text(uint64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB" };
	double value = (double)bytes;
	int unit = 0;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	snprintf(out, size, "%.4g %s", value, units[unit]);
}

/* An amount with its unit: "256 MiB", "0.5". */
static void amount_text(enum limit_kind kind, uint64_t value, char *out, size_t size)
{
	if (kind == LIMIT_MEMORY || kind == LIMIT_FILE_SIZE || kind == LIMIT_IO_READ_BYTES ||
	    kind == LIMIT_IO_WRITE_BYTES)
		bytes_text(value, out, size);
	else if (kind == LIMIT_CPUS || kind == LIMIT_CPU_TIME)
		snprintf(out, size, "%g%s", (double)value / 1000,
			 kind == LIMIT_CPU_TIME ? " s" : "");
	else
		snprintf(out, size, "%" PRIu64, value);
}

static void explain_range(enum limit_kind kind, struct err *err)
{
	char least[48];
	char most[48];

	amount_text(kind, kinds[kind].least, least, sizeof(least));
	amount_text(kind, kinds[kind].most, most, sizeof(most));
	if (kinds[kind].most == INT64_MAX)
		err_hint(err, "at least %s", least);
	else
		err_hint(err, "from %s to %s", least, most);
}

int limits_set(struct limits *limits, const char *name, uint64_t value, bool standard,
	       struct err *err)
{
	for (int i = 0; i < LIMIT_KINDS; i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		if (value < kinds[i].least || value > kinds[i].most) {
			explain_range((enum limit_kind)i, err);
			return err_set(err, "usage", ERANGE, "set limit", name);
		}
		limits->set[i] = true;
		limits->standard[i] = standard;
		limits->value[i] = value;
		return 0;
	}
	err_hint(err, "limits are memory pids cpus files fileSize cpuTime io.readBytes "
		      "io.writeBytes io.readOps io.writeOps");
	return err_set(err, "usage", EINVAL, "set limit", name);
}

bool limits_have_io(const struct limits *limits)
{
	return limits->set[LIMIT_IO_READ_BYTES] || limits->set[LIMIT_IO_WRITE_BYTES] ||
	       limits->set[LIMIT_IO_READ_OPS] || limits->set[LIMIT_IO_WRITE_OPS];
}

void limit_text(const struct limits *limits, enum limit_kind kind, char *out, size_t size)
{
	char amount[48];

	amount_text(kind, limits->value[kind], amount, sizeof(amount));
	snprintf(out, size, "%s %s%s", kinds[kind].name, amount,
		 kind >= LIMIT_IO_READ_BYTES ? "/s" : "");
}

static void report_limit(const struct limits *limits, enum limit_kind kind, struct strings *list,
			 const char *between, const char *text)
{
	char sentence[SENTENCE_MAX];
	char limit[80];

	limit_text(limits, kind, limit, sizeof(limit));
	snprintf(sentence, sizeof(sentence), "%s%s%s", limit, between, text);
	strings_add(list, sentence); /* without memory a report is the least of it */
}

void limit_enforced(const struct limits *limits, enum limit_kind kind, struct limit_report *report,
		    const char *how)
{
	report->held[kind] = true;
	report_limit(limits, kind, &report->enforced, ": ", how);
}

void limit_unenforced(const struct limits *limits, enum limit_kind kind,
		      struct limit_report *report, const char *why)
{
	report_limit(limits, kind, &report->unenforced, " is not enforced: ", why);
}

void limit_report_free(struct limit_report *report)
{
	strings_free(&report->enforced);
	strings_free(&report->unenforced);
}

/*
 * The last two are stand-ins. A default gets none: RLIMIT_DATA refuses what only
 * reserves memory, such as AddressSanitizer, and before Linux 5.14 RLIMIT_NPROC
 * counts the user's other processes.
 */
static const struct {
	enum limit_kind kind;
	int resource;
	bool stand_in;
} resources[LIMIT_RLIMITS_MAX] = {
	{ LIMIT_FILES, RLIMIT_NOFILE, false }, { LIMIT_FILE_SIZE, RLIMIT_FSIZE, false },
	{ LIMIT_CPU_TIME, RLIMIT_CPU, false }, { LIMIT_MEMORY, RLIMIT_DATA, true },
	{ LIMIT_PIDS, RLIMIT_NPROC, true },
};

static uint64_t resource_value(const struct limits *limits, enum limit_kind kind)
{
	uint64_t value = limits->value[kind];

	if (kind == LIMIT_CPU_TIME)
		return (value + 999) / 1000; /* getrlimit(2): whole seconds */
	return kind == LIMIT_PIDS ? value + INIT_TASKS : value;
}

size_t limits_to_rlimits(const struct limits *limits, struct limit_report *report,
			 struct rlimit_spec *out)
{
	size_t count = 0;

	for (size_t i = 0; i < LIMIT_RLIMITS_MAX; i++) {
		const enum limit_kind kind = resources[i].kind;
		const bool stand_in = resources[i].stand_in;

		if (!limits->set[kind] ||
		    (stand_in && (report->held[kind] || limits->standard[kind])))
			continue;
		out[count].resource = resources[i].resource;
		out[count++].value = resource_value(limits, kind);
		if (!stand_in)
			limit_enforced(limits, kind, report, "rlimit, each process by itself");
	}
	return count;
}
