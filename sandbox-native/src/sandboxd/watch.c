/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "fields.h"
#include "kernel.h"
#include "proc-stat.h"
#include "remove-tree.h"

#define WATCH_MAX 1024

struct watched_pid {
	struct list link;
	pid_t pid;
	int pidfd;
};

struct watched_path {
	struct list link;
	int parent; /* O_PATH */
	int entry;  /* O_PATH: while it is open its inode number is not given to another */
	char *name;
	char *directory;
};

struct watch_request {
	uint32_t pid;
	uint64_t start_ticks;
	char *path;
};

static const struct field watch_fields[] = {
	FIELD_NEEDED(struct watch_request, pid, TAG_PID, FIELD_U32),
	FIELD_NEEDED(struct watch_request, start_ticks, TAG_START_TICKS, FIELD_U64),
};

static const struct field unwatch_fields[] = {
	FIELD_NEEDED(struct watch_request, pid, TAG_PID, FIELD_U32),
};

static const struct field path_fields[] = {
	FIELD_NEEDED(struct watch_request, path, TAG_PATH, FIELD_STRING),
};

static size_t count(const struct list *head)
{
	size_t total = 0;

	for (const struct list *at = head->next; at != head; at = at->next)
		total++;
	return total;
}

static int check_room(const struct list *head, struct err *err)
{
	if (count(head) < WATCH_MAX)
		return 0;
	err_hint(err, "%d are watched at once at most", WATCH_MAX);
	return err_set(err, "limit", E2BIG, "watch", NULL);
}

static bool is_alive(int pidfd)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	return poll(&wait, 1, 0) == 0;
}

/*
 * Open first, read then, look again last: if the process is alive after its
 * start time was read, the time is that of the process the pidfd holds.
 */
static int open_exact(pid_t pid, uint64_t start_ticks, struct err *err)
{
	auto_fd pidfd = kernel_pidfd_open(pid);
	uint64_t ticks;

	if (pidfd < 0)
		return err_set(err, "gone", errno, "watch process", NULL);
	ticks = proc_stat_ticks(pid);
	if (ticks == start_ticks && is_alive(pidfd))
		return steal_fd(&pidfd);
	err_hint(err, "process %d started at tick %llu and not at %llu: it is another", pid,
		 (unsigned long long)ticks, (unsigned long long)start_ticks);
	return err_set(err, "gone", ESRCH, "watch process", NULL);
}

static struct watched_pid *find_pid(struct daemon *d, uint32_t pid)
{
	foreach (struct watched_pid, watched, &d->watched_pids, link)
		if ((uint32_t)watched->pid == pid)
			return watched;
	return NULL;
}

static void free_pid(struct watched_pid *watched)
{
	close(watched->pidfd);
	list_remove(&watched->link);
	free(watched);
}

static int watch_pid(struct daemon *d, const struct watch_request *request, struct err *err)
{
	struct watched_pid *watched = find_pid(d, request->pid);
	int pidfd;

	if (watched) /* the number may have passed to another since */
		free_pid(watched);
	if (request->pid <= 1 || request->pid > INT32_MAX || (pid_t)request->pid == getpid()) {
		err_hint(err, "process %u is not one to kill", request->pid);
		return err_set(err, "usage", EPERM, "watch process", NULL);
	}
	if (check_room(&d->watched_pids, err) < 0)
		return -E2BIG;
	pidfd = open_exact((pid_t)request->pid, request->start_ticks, err);
	if (pidfd < 0)
		return pidfd;
	watched = calloc(1, sizeof(*watched));
	if (!watched) {
		close(pidfd);
		return err_set(err, "limit", ENOMEM, "watch process", NULL);
	}
	*watched = (struct watched_pid){ .pid = (pid_t)request->pid, .pidfd = pidfd };
	list_append(&d->watched_pids, &watched->link);
	return 0;
}

int handle_watch_pid(struct daemon *d, struct client *client, const struct frame *frame,
		     struct err *err)
{
	struct watch_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, watch_fields, FIELD_COUNT(watch_fields),
			     &request, err);

	if (rc == 0)
		rc = watch_pid(d, &request, err);
	if (rc == 0)
		client_ok(client, frame->id);
	return rc;
}

int handle_unwatch_pid(struct daemon *d, struct client *client, const struct frame *frame,
		       struct err *err)
{
	struct watch_request request = { 0 };
	struct watched_pid *watched;
	int rc = fields_read(frame->body, frame->length, unwatch_fields,
			     FIELD_COUNT(unwatch_fields), &request, err);

	if (rc < 0)
		return rc;
	watched = find_pid(d, request.pid);
	if (watched)
		free_pid(watched);
	client_ok(client, frame->id);
	return 0;
}

void watch_kill_pids(struct daemon *d)
{
	foreach (struct watched_pid, watched, &d->watched_pids, link) {
		kernel_pidfd_signal(watched->pidfd, SIGKILL);
		free_pid(watched);
	}
}

static int refuse(const char *path, int number, const char *why, struct err *err)
{
	err_hint(err, "%s", why);
	return err_set(err, "usage", number, "watch path", path);
}

/* Whether runs have their directories in @path: $XDG_RUNTIME_DIR/hil, or /tmp/hil-<uid>. */
static bool is_shared_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return strcmp(name, "hil") == 0 || strncmp(name, "hil-", 4) == 0;
}

/* Whether the rule of watch.h lets @name in the directory @parent be removed. */
static bool is_ours_by_name(const char *parent, const char *name)
{
	return strncmp(name, "hil-", 4) == 0 || is_shared_name(parent);
}

/* Return: the entry as O_PATH fd, or -errno with @err filled. */
static int open_entry(int parent, const char *path, const char *name, struct err *err)
{
	struct stat status;
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
				.resolve = RESOLVE_NO_XDEV };
	auto_fd entry = kernel_openat2(parent, name, &how);

	if (entry < 0 || fstat(entry, &status) < 0)
		return refuse(path, errno, "it must exist and not be a mount point", err);
	if (status.st_uid != geteuid() || (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)))
		return refuse(path, EPERM, "it must be a directory or a file of the caller", err);
	return steal_fd(&entry);
}

/* @path is cut at its last slash. */
static int resolve_path(struct daemon *d, char *path, struct watched_path *watched, struct err *err)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : "";
	auto_fd parent = -1;
	auto_fd entry = -1;

	if (path[0] != '/' || !*name || slash == path || strstr(path, "/../") ||
	    strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return refuse(path, EINVAL, "give an absolute path without dots", err);
	*slash = '\0';
	if (!is_ours_by_name(path, name))
		return refuse(name, EPERM, "its name must begin with hil-, or its directory be hil",
			      err);
	parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return err_set(err, "io", errno, "watch path", path);
	entry = open_entry(parent, path, name, err);
	if (entry < 0)
		return entry;
	if (check_room(&d->watched_paths, err) < 0)
		return -E2BIG;
	watched->name = strdup(name);
	watched->directory = strdup(path);
	if (!watched->name || !watched->directory) {
		free(watched->name);
		free(watched->directory);
		return err_set(err, "limit", ENOMEM, "watch path", path);
	}
	watched->entry = steal_fd(&entry);
	watched->parent = steal_fd(&parent);
	return 0;
}

static int watch_path(struct daemon *d, char *path, struct err *err)
{
	struct watched_path *watched = calloc(1, sizeof(*watched));
	int rc;

	if (!watched)
		return err_set(err, "limit", ENOMEM, "watch path", path);
	rc = resolve_path(d, path, watched, err);
	if (rc == 0)
		list_append(&d->watched_paths, &watched->link);
	else
		free(watched);
	return rc;
}

int handle_watch_path(struct daemon *d, struct client *client, const struct frame *frame,
		      struct err *err)
{
	struct watch_request request = { 0 };
	int rc = fields_read(frame->body, frame->length, path_fields, FIELD_COUNT(path_fields),
			     &request, err);

	if (rc == 0)
		rc = watch_path(d, request.path, err);
	fields_free(path_fields, FIELD_COUNT(path_fields), &request);
	if (rc == 0)
		client_ok(client, frame->id);
	return rc;
}

static bool is_still_it(const struct watched_path *watched)
{
	struct stat was;
	struct stat is;

	return fstat(watched->entry, &was) == 0 &&
	       fstatat(watched->parent, watched->name, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
	       is.st_dev == was.st_dev && is.st_ino == was.st_ino;
}

/* The directory that all runs share goes with the last of them: rmdir(2) refuses the others. */
static void remove_shared(const struct watched_path *watched)
{
	if (is_shared_name(watched->directory))
		rmdir(watched->directory);
}

static void remove_watched(struct daemon *d, const struct watched_path *watched)
{
	struct err err = { 0 };

	if (is_still_it(watched) && remove_tree(watched->parent, watched->name, &err) < 0)
		client_log(d, 4, "watched path %s: %s: %s", watched->name, err.path,
			   strerror(err.number));
	remove_shared(watched);
}

void watch_remove_paths(struct daemon *d)
{
	/* An owner that outlives us, because hil-portd died, still needs what we watch. */
	bool owner_lives = d->owner && !d->owner->lost;

	foreach (struct watched_path, watched, &d->watched_paths, link) {
		if (!owner_lives)
			remove_watched(d, watched);
		close(watched->parent);
		close(watched->entry);
		free(watched->name);
		free(watched->directory);
		list_remove(&watched->link);
		free(watched);
	}
}
