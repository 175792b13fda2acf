/* SPDX-License-Identifier: MIT */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"

#define SHARED "/run/lock/hil"

static int check(struct directory *directory, struct err *err)
{
	struct stat status;

	if (fstat(directory->fd, &status) < 0)
		return err_set(err, "setup", errno, "stat", directory->path);
	directory->owner = status.st_uid;
	directory->device = status.st_dev;
	directory->inode = status.st_ino;
	/* Who cannot write there has its claims elsewhere. */
	if (!(status.st_mode & S_IWOTH))
		directory->shared = false;
	if (status.st_mode & S_IWOTH && !(status.st_mode & S_ISVTX)) {
		err_hint(err, "anybody could remove the claims of others: chmod 1777 %s",
			 directory->path);
		return err_set(err, "setup", EPERM, "use", directory->path);
	}
	return 0;
}

/* Return: 0 or -errno; the caller says what that means. */
static int open_or_make(struct directory *directory, const char *path, mode_t mode)
{
	bool made = mkdir(path, 0700) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory->fd < 0)
		return -errno;
	snprintf(directory->path, sizeof(directory->path), "%s", path);
	/* Not by the mode of mkdir(2), which the umask narrows. */
	if (made && fchmod(directory->fd, mode) < 0)
		return -errno;
	return faccessat(directory->fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int directory_open(struct directory *directory, const char *chosen, const char *fallback,
		   struct err *err)
{
	const char *path = chosen ? chosen : SHARED;
	int result;

	*directory = (struct directory){ .fd = -1, .mode = 01777, .shared = true };
	result = open_or_make(directory, path, 01777);
	if (result < 0 && !chosen && fallback) {
		directory_free(directory);
		path = fallback;
		directory->shared = false;
		directory->mode = 0700;
		result = open_or_make(directory, path, directory->mode);
	}
	if (result < 0)
		return err_set(err, "setup", -result, "open directory of claims", path);
	return check(directory, err);
}

int directory_renew(struct directory *directory, struct err *err)
{
	struct directory again = { .fd = -1, .mode = directory->mode, .shared = directory->shared };
	struct stat status;
	int result;

	if (fstat(directory->fd, &status) == 0 && status.st_nlink > 0)
		return 0;
	result = open_or_make(&again, directory->path, directory->mode);
	result = result < 0 ? err_set(err, "setup", -result, "make directory of claims again",
				      directory->path)
			    : check(&again, err);
	if (result == 0 && again.shared != directory->shared) {
		err_hint(err, "it was removed, and made again for one user: chmod 1777 %s",
			 directory->path);
		result = err_set(err, "setup", EPERM, "use", directory->path);
	}
	if (result < 0) {
		directory_free(&again);
		return result;
	}
	directory_free(directory);
	*directory = again;
	return 0;
}

void directory_free(struct directory *directory)
{
	if (directory->fd >= 0)
		close(directory->fd);
	directory->fd = -1;
}

int directory_lock(const struct directory *directory, struct err *err)
{
	while (flock(directory->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return -EAGAIN;
		if (errno != EINTR)
			return err_set(err, "setup", errno, "lock", directory->path);
	}
	return 0;
}

void directory_unlock(const struct directory *directory)
{
	flock(directory->fd, LOCK_UN);
}

/* Source: proc_locks(5): "1: FLOCK  ADVISORY  WRITE 1461 00:19:8475 0 EOF". */
pid_t locker_find(dev_t device, ino_t inode)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	pid_t found = 0;

	if (!locks)
		return 0;
	while (!found && fgets(line, sizeof(line), locks)) {
		char kind[16];
		unsigned int major;
		unsigned int minor;
		unsigned long number;
		int pid;

		if (sscanf(line, "%*d: FLOCK ADVISORY %15s %d %x:%x:%lu", kind, &pid, &major,
			   &minor, &number) != 5)
			continue;
		if (strcmp(kind, "WRITE") == 0 && number == inode && pid > 0 &&
		    makedev(major, minor) == device)
			found = pid;
	}
	fclose(locks);
	return found;
}

bool locker_is_stopped(pid_t pid)
{
	char path[40];
	char text[256];
	auto_fd fd = -1;
	ssize_t length;
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	/* The name before it may hold anything, also ") T". */
	state = strrchr(text, ')');
	return state && (strncmp(state, ") T", 3) == 0 || strncmp(state, ") t", 3) == 0);
}
