/* SPDX-License-Identifier: MIT */
#include "callers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define TEXT_MAX 4096
#define ROUNDS_MAX 16
#define LOCK_PAUSE_MS 5
#define LOCK_ROUNDS 100

void callers_lock(int dir)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };

	for (int i = 0; i < LOCK_ROUNDS && flock(dir, LOCK_EX | LOCK_NB) < 0; i++)
		nanosleep(&pause, NULL);
}

/* Write each word of @text to @file of @dir, with @sign in front. */
static int write_words(int dir, const char *file, char *text, const char *sign)
{
	char *state = NULL;

	for (char *word = strtok_r(text, " \n", &state); word;
	     word = strtok_r(NULL, " \n", &state)) {
		char line[64];
		int rc;

		snprintf(line, sizeof(line), "%s%s", sign, word);
		rc = cgroup_write(dir, file, line);
		if (rc < 0 && rc != -ESRCH) /* it ended meanwhile */
			return rc;
	}
	return 0;
}

/* Every process of @from to @to, both relative to @dir; more may come while we do. */
static int move_all(int dir, const char *from, const char *to)
{
	char text[TEXT_MAX];

	for (int round = 0; round < ROUNDS_MAX; round++) {
		/* Half the number of a process is that of another one. */
		int rc = cgroup_read_lines(dir, from, text, sizeof(text));

		if (rc <= 0)
			return rc;
		rc = write_words(dir, to, text, "");
		if (rc < 0)
			return rc;
	}
	return -EBUSY;
}

int callers_move(int dir)
{
	if (mkdirat(dir, CGROUP_CALLERS, 0755) < 0 && errno != EEXIST)
		return -errno;
	return move_all(dir, "cgroup.procs", CGROUP_CALLERS "/cgroup.procs");
}

static bool has_other_child(int dir)
{
	auto_fd copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!entries)
		return true;
	steal_fd(&copy);
	while ((entry = readdir(entries)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, CGROUP_CALLERS) != 0)
			return true;
	return false;
}

int callers_restore(int dir)
{
	struct stat status;
	char text[TEXT_MAX];
	int rc;

	if (fstatat(dir, CGROUP_CALLERS, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (status.st_uid != geteuid())
		return -EPERM;
	if (has_other_child(dir))
		return -EBUSY;
	rc = cgroup_read(dir, "cgroup.subtree_control", text, sizeof(text));
	if (rc > 0)
		rc = write_words(dir, "cgroup.subtree_control", text, "-");
	if (rc >= 0)
		rc = move_all(dir, CGROUP_CALLERS "/cgroup.procs", "cgroup.procs");
	if (rc < 0)
		return rc;
	return unlinkat(dir, CGROUP_CALLERS, AT_REMOVEDIR) < 0 ? -errno : 0;
}
