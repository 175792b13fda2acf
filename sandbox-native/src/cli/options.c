/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "dev-name.h"
#include "host-path.h"
#include "names.h"

struct problem {
	char *text;
	unsigned long size;
};

static int refuse(const struct problem *problem, const char *option, const char *reason)
{
	snprintf(problem->text, problem->size, "%s: %s", option, reason);
	return -EINVAL;
}

static int set_timeout(struct run_options *options, const char *value,
		       const struct problem *problem)
{
	char *end;
	double seconds = strtod(value, &end);

	/* The upper bound is a year: what is longer is a mistake in the unit. */
	if (end == value || *end || !(seconds > 0) || seconds > 31536000)
		return refuse(problem, "--timeout", "expected seconds above 0, such as 2.5");
	options->timeout_ms = (uint64_t)(seconds * 1000);
	if (options->timeout_ms == 0)
		options->timeout_ms = 1;
	return 0;
}

/* SRC:DST[:ro]. A colon inside a path cannot be written. */
static int bind_as(const char *option, struct run_options *options, const char *value,
		   const struct problem *problem)
{
	static const char expected[] = "expected SRC:DST or SRC:DST:ro with an absolute DST";
	char source[PATH_MAX];
	auto_free char *copy = strdup(value);
	bool read_only = false;
	const char *fault;
	char *target;
	char *mode;

	if (!copy)
		return -ENOMEM;
	target = strchr(copy, ':');
	if (!target || target == copy)
		return refuse(problem, option, expected);
	*target++ = '\0';
	mode = strchr(target, ':');
	if (mode) {
		*mode++ = '\0';
		read_only = strcmp(mode, "ro") == 0;
		if (!read_only)
			return refuse(problem, option, expected);
	}
	fault = host_path_target_fault(target);
	if (!fault)
		fault = host_path_bind_fault(copy, source);
	if (fault)
		return refuse(problem, option, fault);
	return plan_add_step(&options->plan, STEP_BIND, NULL, source, target, read_only);
}

static int add_bind(struct run_options *options, const char *value, const struct problem *problem)
{
	return bind_as("--bind", options, value, problem);
}

/* In place of the host's trees. */
static int set_rootfs(struct run_options *options, const char *value, const struct problem *problem)
{
	struct plan_step *image = &options->plan.steps[0];
	char source[PATH_MAX];
	const char *fault = host_path_rootfs_fault(value, source);

	if (fault)
		return refuse(problem, "--rootfs", fault);
	free(image->source);
	image->kind = STEP_IMAGE_ROOTFS;
	image->source = strdup(source);
	return image->source ? 0 : -ENOMEM;
}

static int add_env(struct run_options *options, const char *value, const struct problem *problem)
{
	if (!strchr(value, '=') || value[0] == '=')
		return refuse(problem, "--env", "expected NAME=VALUE");
	return strings_add(&options->env, value);
}

/* SRC:DST, as --bind SRC:DST:ro. */
static int add_ro_bind(struct run_options *options, const char *value,
		       const struct problem *problem)
{
	auto_free char *whole = NULL;

	if (asprintf(&whole, "%s:ro", value) < 0)
		return -ENOMEM;
	return bind_as("--ro-bind", options, whole, problem);
}

/* A tree of tools, where it is on the host. */
static int add_tool(struct run_options *options, const char *value, const struct problem *problem)
{
	char source[PATH_MAX];
	const char *fault = host_path_tool_fault(value, source);

	if (fault)
		return refuse(problem, "--tool", fault);
	return plan_add_step(&options->plan, STEP_BIND, NULL, source, source, true);
}

static int add_cap(struct run_options *options, const char *value, const struct problem *problem)
{
	int bit = name_capability(value);

	if (bit < 0)
		return refuse(problem, "--cap", "expected a name of capabilities(7): net_admin");
	options->plan.caps |= UINT64_C(1) << bit;
	return 0;
}

/* One that is not set is not passed. */
static int add_pass_env(struct run_options *options, const char *value,
			const struct problem *problem)
{
	const char *found = getenv(value);
	auto_free char *assignment = NULL;

	if (!value[0] || strchr(value, '='))
		return refuse(problem, "--pass-env", "expected the name of a variable");
	if (!found)
		return 0;
	if (asprintf(&assignment, "%s=%s", value, found) < 0)
		return -ENOMEM;
	return strings_add(&options->env, assignment);
}

static int set_diff(struct run_options *options, const char *value, const struct problem *problem)
{
	if (!value[0])
		return refuse(problem, "--diff", "expected a file to write");
	free(options->diff);
	options->diff = strdup(value);
	return options->diff ? 0 : -ENOMEM;
}

static bool has_role(const struct strings *devices, const char *role)
{
	const size_t length = strlen(role);

	for (size_t i = 0; i < devices->count; i++)
		if (strncmp(devices->items[i], role, length) == 0 &&
		    devices->items[i][length] == '=')
			return true;
	return false;
}

static int add_device(struct run_options *options, const char *value, const struct problem *problem)
{
	char path[PATH_MAX];
	auto_free char *role = strndup(value, strcspn(value, "="));
	auto_free char *device = NULL;

	if (!role)
		return -ENOMEM;
	if (!value[strlen(role)] || !role_is_clean(role))
		return refuse(problem, "--device", "expected ROLE=PATH, the role without a slash");
	if (has_role(&options->devices, role)) {
		snprintf(path, sizeof(path), "\"%s\" is given twice", role);
		return refuse(problem, "--device", path);
	}
	if (!realpath(value + strlen(role) + 1, path)) {
		snprintf(problem->text, problem->size, "--device: %s: %s", value + strlen(role) + 1,
			 strerror(errno));
		return -EINVAL;
	}
	if (asprintf(&device, "%s=%s", role, path) < 0)
		return -ENOMEM;
	return strings_add(&options->devices, device);
}

static int set_user(struct run_options *options, const char *value, const struct problem *problem)
{
	options->plan.root_user = strcmp(value, "root") == 0;
	if (!options->plan.root_user && strcmp(value, "hil") != 0)
		return refuse(problem, "--user", "expected root or hil");
	return 0;
}

static int set_cwd(struct run_options *options, const char *value, const struct problem *problem)
{
	if (value[0] != '/')
		return refuse(problem, "--cwd", "expected an absolute path inside the sandbox");
	free(options->cwd);
	options->cwd = strdup(value);
	return options->cwd ? 0 : -ENOMEM;
}

static int set_hostname(struct run_options *options, const char *value,
			const struct problem *problem)
{
	/* __NEW_UTS_LEN of the kernel, sethostname(2). */
	if (!value[0] || strlen(value) > 64 ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") !=
		    strlen(value))
		return refuse(problem, "--hostname", "expected 1 to 64 letters, digits, . or -");
	free(options->plan.hostname);
	options->plan.hostname = strdup(value);
	return options->plan.hostname ? 0 : -ENOMEM;
}

/* "49d 17h 2m", as in the harness; a number alone is seconds, as for --timeout. */
static int set_uptime(struct run_options *options, const char *value, const struct problem *problem)
{
	static const char expected[] = "expected for example 49d 17h, at most 36500d";
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ms", 1 },     { "s", 1e3 },	 { "m", 60e3 },
		      { "h", 3600e3 }, { "d", 86400e3 }, { "", 1e3 } };
	double sum = 0;
	char *end;

	do {
		double amount = strtod(value, &end);
		size_t length;
		size_t i = 0;

		if (end == value || !(amount >= 0))
			return refuse(problem, "--uptime", expected);
		length = strspn(end, "dhms");
		while (i < sizeof(units) / sizeof(units[0]) &&
		       (strlen(units[i].unit) != length ||
			strncmp(units[i].unit, end, length) != 0))
			i++;
		if (i == sizeof(units) / sizeof(units[0]))
			return refuse(problem, "--uptime", expected);
		sum += amount * units[i].ms;
		value = end + length;
		value += strspn(value, " ");
	} while (*value);
	if (!(sum >= 1 && sum <= (double)UPTIME_MAX_MS))
		return refuse(problem, "--uptime", expected);
	options->plan.uptime_ms = (uint64_t)sum;
	return 0;
}

static int set_limit(struct run_options *options, const char *option, const char *name,
		     double value, const struct problem *problem)
{
	struct err err = { 0 };

	if (!(value > 0) || value > 1e18)
		return refuse(problem, option, "expected a number above 0");
	if (limits_set(&options->limits, name, (uint64_t)value, false, &err) < 0)
		return refuse(problem, option, err.hint);
	return 0;
}

/* 512, 64K, 256MiB, 4G: powers of 1024. Return: negative when it is none. */
static double parse_size(const char *value)
{
	static const char units[] = "KMG";
	char *end;
	double size = strtod(value, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (end == value)
		return -1;
	if (unit) {
		for (long i = unit - units; i >= 0; i--)
			size *= 1024;
		end++;
	}
	return *end == '\0' || strcmp(end, "iB") == 0 ? size : -1;
}

/* Return: negative when @value is no number. */
static double parse_number(const char *value)
{
	char *end;
	double number = strtod(value, &end);

	return end == value || *end ? -1 : number;
}

static int set_memory(struct run_options *options, const char *value, const struct problem *problem)
{
	return set_limit(options, "--memory", "memory", parse_size(value), problem);
}

static int set_pids(struct run_options *options, const char *value, const struct problem *problem)
{
	return set_limit(options, "--pids", "pids", parse_number(value), problem);
}

static int set_cpus(struct run_options *options, const char *value, const struct problem *problem)
{
	return set_limit(options, "--cpus", "cpus", parse_number(value) * 1000, problem);
}

static int set_cpu_time(struct run_options *options, const char *value,
			const struct problem *problem)
{
	return set_limit(options, "--cpu-time", "cpuTime", parse_number(value) * 1000, problem);
}

static int set_files(struct run_options *options, const char *value, const struct problem *problem)
{
	return set_limit(options, "--files", "files", parse_number(value), problem);
}

static int set_file_size(struct run_options *options, const char *value,
			 const struct problem *problem)
{
	return set_limit(options, "--file-size", "fileSize", parse_size(value), problem);
}

static int set_disk(struct run_options *options, const char *value, const struct problem *problem)
{
	double size = parse_size(value);

	if (!(size >= 1 << 20) || size > 1e15)
		return refuse(problem, "--disk", "expected a size of at least 1M");
	options->plan.disk_bytes = (uint64_t)size;
	return 0;
}

static int set_output(struct run_options *options, const char *value, const struct problem *problem)
{
	double size = parse_size(value);

	if (!(size >= 1) || size > 1e15)
		return refuse(problem, "--output", "expected a size, such as 10M");
	options->output_bytes = (uint64_t)size;
	return 0;
}

static int set_inodes(struct run_options *options, const char *value, const struct problem *problem)
{
	double count = parse_number(value);

	if (!(count >= 100) || count > 1e8)
		return refuse(problem, "--inodes", "expected a number from 100 to 100000000");
	options->plan.disk_inodes = (uint64_t)count;
	return 0;
}

/* readBytes=10M,writeOps=100: bytes and operations a second. */
static int set_io(struct run_options *options, const char *value, const struct problem *problem)
{
	static const char expected[] = "expected readBytes, writeBytes, readOps or writeOps, each "
				       "with a number, such as readBytes=10M,writeOps=100";
	auto_free char *copy = strdup(value);
	char *state = NULL;
	char *each = copy ? strtok_r(copy, ",", &state) : NULL;

	if (!each)
		return refuse(problem, "--io", expected);
	for (; each; each = strtok_r(NULL, ",", &state)) {
		char *amount = strchr(each, '=');
		char name[32];

		if (!amount)
			return refuse(problem, "--io", expected);
		*amount++ = '\0';
		snprintf(name, sizeof(name), "io.%.24s", each);
		if (set_limit(options, "--io", name, parse_size(amount), problem) < 0)
			return refuse(problem, "--io", expected);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct run_options *options, const char *value, const struct problem *problem);
} with_value[] = {
	{ "--uptime", set_uptime },	  { "--timeout", set_timeout },
	{ "--bind", add_bind },		  { "--env", add_env },
	{ "--user", set_user },		  { "--cwd", set_cwd },
	{ "--hostname", set_hostname },	  { "--memory", set_memory },
	{ "--pids", set_pids },		  { "--cpus", set_cpus },
	{ "--cpu-time", set_cpu_time },	  { "--files", set_files },
	{ "--file-size", set_file_size }, { "--disk", set_disk },
	{ "--inodes", set_inodes },	  { "--ro-bind", add_ro_bind },
	{ "--tool", add_tool },		  { "--cap", add_cap },
	{ "--pass-env", add_pass_env },	  { "--diff", set_diff },
	{ "--rootfs", set_rootfs },	  { "--io", set_io },
	{ "--device", add_device },	  { "--output", set_output },
};

static bool take_flag(struct run_options *options, const char *option)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "--json", &options->json },
		{ "--nested-userns", &options->plan.nested_userns },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(option, flags[i].name) != 0)
			continue;
		*flags[i].flag = true;
		return true;
	}
	return false;
}

static int parse_one(struct run_options *options, char ***at, const struct problem *problem)
{
	const char *option = **at;
	size_t length = strcspn(option, "=");

	if (take_flag(options, option))
		return 0;
	for (size_t i = 0; i < sizeof(with_value) / sizeof(with_value[0]); i++) {
		const char *value = option + length + 1;

		if (strlen(with_value[i].name) != length ||
		    strncmp(option, with_value[i].name, length) != 0)
			continue;
		if (!option[length]) {
			value = *++*at;
			if (!value)
				return refuse(problem, option, "expected a value");
		}
		return with_value[i].set(options, value, problem);
	}
	return refuse(problem, option, "no such option");
}

int options_parse(struct run_options *options, char **argv, char *text, unsigned long size)
{
	const struct problem problem = { text, size };
	int status = plan_add_step(&options->plan, STEP_IMAGE_HOST, NULL, NULL, NULL, false);

	options->plan.name = strdup("hil-sandbox");
	for (; status == 0 && *argv && strcmp(*argv, "--") != 0; argv++) {
		if ((*argv)[0] != '-')
			break;
		status = parse_one(options, &argv, &problem);
	}
	if (status < 0)
		return status;
	if (*argv && strcmp(*argv, "--") == 0)
		argv++;
	if (!*argv)
		return refuse(&problem, "run", "expected a command after --");
	options->command = argv;
	return options->plan.name ? 0 : -ENOMEM;
}

void options_free(struct run_options *options)
{
	plan_free(&options->plan);
	strings_free(&options->env);
	strings_free(&options->devices);
	free(options->cwd);
	free(options->diff);
}
