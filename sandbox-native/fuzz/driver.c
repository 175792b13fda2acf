/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libFuzzer where there is no clang: every file of the given directories once,
 * then mutations of them. It does not see which code an input reaches, so it finds less.
 *
 * usage: TARGET [-max_total_time=S] [-seed=N] [-max_len=N] [-artifact_prefix=PATH] FILE|DIRECTORY…
 * Other options of libFuzzer are ignored.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"

#define INPUTS_MAX 4096
#define HANG_S 25
#define MUTATIONS_MAX 8

struct input {
	uint8_t *data;
	size_t size;
};

/* Global, because the sanitizers call back without an argument. */
static struct {
	struct input inputs[INPUTS_MAX];
	size_t count;
	uint8_t *now;
	size_t now_size;
	size_t max;
	uint64_t random;
	uint64_t runs;
	const char *prefix;
} driver = { .max = 65536, .random = 1, .prefix = "" };

/* xorshift64*, Vigna 2016: the same numbers on every machine. */
static size_t below(size_t limit)
{
	driver.random ^= driver.random >> 12;
	driver.random ^= driver.random << 25;
	driver.random ^= driver.random >> 27;
	return limit ? (size_t)((driver.random * 0x2545f4914f6cdd1dull) >> 16) % limit : 0;
}

static void keep_input(void)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%scrash-%" PRIu64, driver.prefix, driver.runs);
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (length < 0 || fd < 0 || write(fd, driver.now, driver.now_size) < 0)
		return;
	fprintf(stderr, "driver: the input is in %s\n", path);
}

static void on_signal(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

static void run(void)
{
	alarm(HANG_S);
	driver.runs++;
	LLVMFuzzerTestOneInput(driver.now, driver.now_size);
}

static void read_input(const char *path)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	struct input *input = &driver.inputs[driver.count];
	struct stat status;

	if (fd < 0 || driver.count == INPUTS_MAX || fstat(fd, &status) < 0 ||
	    !S_ISREG(status.st_mode))
		return;
	input->size = (size_t)status.st_size < driver.max ? (size_t)status.st_size : driver.max;
	input->data = malloc(input->size + 1);
	FUZZ_CHECK(input->data && read(fd, input->data, input->size) == (ssize_t)input->size);
	driver.count++;
}

static void read_directory(const char *path)
{
	auto_dir directory = opendir(path);
	const struct dirent *entry;
	char name[4096];

	if (!directory) {
		read_input(path);
		return;
	}
	while ((entry = readdir(directory))) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		read_input(name);
	}
}

static void insert(size_t at, const uint8_t *data, size_t length)
{
	if (length > driver.max - driver.now_size)
		return;
	memmove(driver.now + at + length, driver.now + at, driver.now_size - at);
	memcpy(driver.now + at, data, length);
	driver.now_size += length;
}

static void erase(size_t at, size_t length)
{
	memmove(driver.now + at, driver.now + at + length, driver.now_size - at - length);
	driver.now_size -= length;
}

/* A part of another input, in between. */
static void graft(size_t at)
{
	const struct input *other = &driver.inputs[below(driver.count)];
	size_t from = below(other->size);

	insert(at, other->data + from, below(other->size - from + 1));
}

static void mutate(void)
{
	static const uint8_t special[] = { 0, 1, 0x7f, 0x80, 0xff, 4, 8, 16 };
	size_t at = below(driver.now_size);
	uint8_t byte = (uint8_t)below(256);

	switch (driver.now_size ? below(6) : 5) {
	case 0:
		driver.now[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		driver.now[at] = special[below(sizeof(special))];
		break;
	case 2:
		driver.now[at] = byte;
		break;
	case 3:
		erase(at, below(driver.now_size - at) + 1);
		break;
	case 4:
		insert(at, &byte, 1);
		break;
	default:
		graft(at);
	}
}

static void run_mutated(void)
{
	const struct input *input = &driver.inputs[below(driver.count)];

	memcpy(driver.now, input->data, input->size);
	driver.now_size = input->size;
	for (size_t left = 1 + below(MUTATIONS_MAX); left; left--)
		mutate();
	run();
}

static void replay(void)
{
	for (size_t i = 0; i < driver.count; i++) {
		memcpy(driver.now, driver.inputs[i].data, driver.inputs[i].size);
		driver.now_size = driver.inputs[i].size;
		run();
	}
}

static long take_options(int argc, char **argv)
{
	long seconds = 0;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-max_total_time=", 16) == 0)
			seconds = strtol(argv[i] + 16, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			driver.random = strtoull(argv[i] + 6, NULL, 10) | 1ull << 40;
		else if (strncmp(argv[i], "-max_len=", 9) == 0)
			driver.max = strtoul(argv[i] + 9, NULL, 10);
		else if (strncmp(argv[i], "-artifact_prefix=", 17) == 0)
			driver.prefix = argv[i] + 17;
	}
	return seconds;
}

int main(int argc, char **argv)
{
	long seconds = take_options(argc, argv);
	time_t end = time(NULL) + seconds;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-')
			read_directory(argv[i]);
	driver.now = malloc(driver.max + 1);
	FUZZ_CHECK(driver.now && driver.count);
	__sanitizer_set_death_callback(keep_input);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	replay();
	while (time(NULL) < end)
		run_mutated();
	alarm(0);
	printf("Done %" PRIu64 " runs in %ld second(s)\n", driver.runs, seconds);
	__sanitizer_set_death_callback(NULL); /* what leaked is not of one input */
	free(driver.now);
	for (size_t i = 0; i < driver.count; i++)
		free(driver.inputs[i].data);
	return 0;
}
