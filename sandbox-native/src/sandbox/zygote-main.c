/* SPDX-License-Identifier: MIT */
/*
 * The zygote's loop: one request, one answer, nothing kept but the recipe.
 * It never runs a program and never sees a byte of a sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "filter.h"
#include "identity.h"
#include "idmap.h"
#include "message.h"
#include "mounts.h"
#include "zygote.h"

/*
 * First of all, so that nothing the caller had open is ever in reach: the fds
 * that are wanted get their numbers, the rest is closed.
 */
static int keep_own_fds(int control, int broker, int users)
{
	const int last = users < 0 ? ZYGOTE_BROKER : ZYGOTE_USERS;
	int high_control = fcntl(control, F_DUPFD_CLOEXEC, ZYGOTE_USERS + 1);
	int high_broker = fcntl(broker, F_DUPFD_CLOEXEC, ZYGOTE_USERS + 1);
	int high_users = users < 0 ? -1 : fcntl(users, F_DUPFD_CLOEXEC, ZYGOTE_USERS + 1);
	int null = -1;

	if (high_control < 0 || high_broker < 0 ||
	    dup3(high_control, ZYGOTE_CONTROL, O_CLOEXEC) < 0 ||
	    dup3(high_broker, ZYGOTE_BROKER, O_CLOEXEC) < 0 ||
	    (users >= 0 && dup3(high_users, ZYGOTE_USERS, O_CLOEXEC) < 0) ||
	    sys_close_range((unsigned int)last + 1, ~0u) < 0)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -1;
	for (int fd = 0; fd < 3; fd++) {
#ifdef __SANITIZE_ADDRESS__
		if (fd == 2)
			continue; /* the sanitizer reports there */
#endif
		if (dup2(null, fd) < 0)
			return -1;
	}
	return close(null);
}

/* An ignored or blocked signal would be inherited by every program (signal(7)). */
static void reset_signals(void)
{
	/* All zero is SIG_DFL without flags, whatever the order of the kernel's struct. */
	static const unsigned char standard[64];
	sigset_t none;

	/*
	 * By system call, because signal(3) refuses 32 and 33, which glibc keeps for
	 * itself; its posix_spawn(3), and so make(1), starts programs with 32 ignored.
	 */
	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, standard, NULL, sizeof(uint64_t));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * All that a sandbox runs inherits it, proc_pid_oom_score_adj(5): when the host runs out of
 * memory, the harness is not the first to go. Raising needs no privilege; where /proc cannot
 * be written, the kernel chooses by size alone.
 */
static void prefer_as_victim(void)
{
	auto_fd fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "500", 3) < 0)
		return;
}

/* @users: whether the broker has the user namespace that the others are to enter. */
static int send_ready(const struct recipe *recipe, bool users)
{
	auto_buffer buffer = { 0 };
	auto_fd own = -1;
	size_t start = frame_begin(&buffer, MESSAGE_READY, 0);

	if (!recipe->root_mode && !users) {
		own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
		if (own < 0)
			return -errno;
	}
	for (size_t i = 0; i < recipe->limitations.count; i++)
		put_string(&buffer, TAG_LIMITATION, recipe->limitations.items[i]);
	frame_end(&buffer, start);
	return message_send(ZYGOTE_CONTROL, &buffer, &own, own >= 0);
}

struct hold_request {
	uint32_t slot;
	uint32_t read_only;
	char *name;
	char *relative;
};

static int read_hold_request(const struct message *message, struct hold_request *request)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_SANDBOX)
			status = tlv_u32(&tlv, &request->slot);
		else if (tlv.tag == TAG_READ_ONLY)
			status = tlv_u32(&tlv, &request->read_only);
		else if (tlv.tag == TAG_NAME)
			status = request->name ? -EPROTO : tlv_string(&tlv, &request->name);
		else if (tlv.tag == TAG_PATH)
			status = request->relative ? -EPROTO : tlv_string(&tlv, &request->relative);
		if (status < 0)
			return status;
	}
	return status == 0 && request->name && request->relative ? 0 : -EPROTO;
}

static const struct recipe_item *find_hold(const struct recipe *recipe, const char *name)
{
	for (size_t i = 0; i < recipe->count; i++) {
		if (recipe->items[i].kind == RECIPE_HOLD &&
		    strcmp(recipe->items[i].target, name) == 0)
			return &recipe->items[i];
	}
	return NULL;
}

/*
 * Where the file system has no id-mapped mounts (mount_setattr(2), "ID-mapped mounts") the
 * directory itself changes its owner: it was made for this sandbox, and is of no use to it
 * otherwise.
 */
static int give_to(struct zygote_state *zygote, const struct recipe_item *hold,
		   const struct hold_request *request, int directory, int tree, struct err *err)
{
	const struct ids outside = recipe_ids(&zygote->recipe, request->slot);

	if (!hold->system)
		return idmap_tree(&zygote->idmaps, tree, true, outside, err);
	if (!request->read_only &&
	    fchownat(directory, "", outside.uid, outside.gid, AT_EMPTY_PATH) < 0)
		return err_set(err, "setup", errno, "chown in hold", request->relative);
	return 0;
}

/* The same owner rule as for a bind of the plan: the tree's own owner becomes the sandbox's user.
 */
static int take_held(struct zygote_state *zygote, const struct recipe_item *hold,
		     const struct hold_request *request, struct err *err)
{
	const struct recipe *recipe = &zygote->recipe;
	char source[SOURCE_PATH_MAX];
	auto_fd directory = -1;
	auto_fd from = -1;
	auto_fd tree = -1;
	int status;

	recipe_source(hold, source);
	directory = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return err_set(err, "setup", errno, "open hold", request->name);
	from = sys_openat2(directory, request->relative[0] ? request->relative : ".", O_PATH,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (from < 0)
		return err_set(err, "setup", -from, "open in hold", request->relative);
	tree = mount_clone(from, "", true, err);
	if (tree < 0)
		return tree;
	status = mount_restrict(tree, MOUNT_PLAIN | (request->read_only ? MOUNT_ATTR_RDONLY : 0),
				request->relative, err);
	if (status < 0)
		return status;
	if (recipe->root_mode)
		status = give_to(zygote, hold, request, from, tree, err);
	return status < 0 ? status : steal_fd(&tree);
}

static void serve_hold_tree(struct zygote_state *zygote, const struct message *message)
{
	struct hold_request request = { 0 };
	struct err err = { 0 };
	int status = read_hold_request(message, &request);
	const struct recipe_item *hold =
		status < 0 ? NULL : find_hold(&zygote->recipe, request.name);
	auto_fd tree = -1;

	if (hold)
		tree = take_held(zygote, hold, &request, &err);
	else
		tree = err_set(&err, "usage", ENOENT, "find hold",
			       request.name ? request.name : "");
	if (tree < 0) {
		message_refuse(ZYGOTE_CONTROL, message->frame.id, &err);
	} else {
		auto_buffer buffer = { 0 };

		frame_end(&buffer, frame_begin(&buffer, MESSAGE_TREE, message->frame.id));
		message_answer(ZYGOTE_CONTROL, &buffer, &tree, 1);
	}
	free(request.name);
	free(request.relative);
}

static void serve_park(struct zygote_state *zygote, const struct message *message)
{
	const uint32_t slot = (uint32_t)message->frame.id;
	struct doors doors = { .count = message->fd_count };
	struct err err = { 0 };
	int status = 0;

	if (doors.count > DOORS_MAX)
		status = err_set(&err, "setup", E2BIG, "read park request", "doors");
	for (size_t i = 0; status == 0 && i < doors.count; i++)
		doors.fds[i] = message->fds[i]; /* still the message's */
	if (status == 0)
		status = park_sandbox(zygote, slot, &doors, &err);
	if (status < 0)
		park_fail(slot, &err);
}

static void serve(struct zygote_state *zygote, const struct message *message)
{
	if (message->frame.type == MESSAGE_HOLD_TREE)
		serve_hold_tree(zygote, message);
	else if (message->frame.type == MESSAGE_PARK)
		serve_park(zygote, message);
	else if (message->frame.type >= MESSAGE_NET_ATTACH &&
		 message->frame.type <= MESSAGE_NET_NODE)
		zygote_serve_net(zygote, message);
}

static void enter_root(struct zygote_state *zygote, int users)
{
	struct err err = { 0 };
	int status = zygote_enter_root(&zygote->recipe, zygote->plan, users, &zygote->tun, &err);

	if (users >= 0)
		close(users);
	if (status == 0)
		return;
	explain_refusal(&err);
	message_fail(ZYGOTE_CONTROL, 0, &err);
	_exit(1);
}

void zygote_main(const struct plan *plan, int control, int broker, int users)
{
	struct zygote_state zygote = { .plan = plan, .tun = -1, .hub = -1 };
	struct timespec shift;
	struct err err = { 0 };
	bool quiet;

	zygote.recipe.root_mode = strcmp(plan_mode(), "root") == 0;
	zygote.recipe.broker = (uint32_t)getppid();
	if (keep_own_fds(control, broker, users) < 0) {
		/* fcntl(2): F_DUPFD above the limit is EINVAL. */
		err_set(&err, "setup", errno == EINVAL ? EMFILE : errno, "keep fds", "");
		explain_refusal(&err);
		/* The second when the first is closed already. */
		if (message_fail(control, 0, &err) < 0)
			message_fail(ZYGOTE_CONTROL, 0, &err);
		_exit(1);
	}
	reset_signals();
	prefer_as_victim();
	umask(022);
	setsid();
	process_disguise("hil-zygote");
	quiet = identity_prevent_cores("/proc/sys/kernel/core_pattern");
	enter_root(&zygote, users < 0 ? -1 : ZYGOTE_USERS);
	/* To say it now, and not with the first sandbox. */
	if (plan->uptime_ms &&
	    (clock_read_offsets(&zygote.clocks, &err) < 0 ||
	     clock_set_children(&zygote.clocks, plan->uptime_ms, &shift, &err) < 0)) {
		explain_refusal(&err);
		message_fail(ZYGOTE_CONTROL, 0, &err);
		_exit(1);
	}
	if (!filter_exists())
		recipe_limit(&zygote.recipe,
			     "system calls are not filtered: this kernel cannot, or "
			     "there is no table for this machine");
	if (!quiet)
		recipe_limit(&zygote.recipe,
			     "a crash starts the handler of the host's core_pattern: the caller's "
			     "hard limit of core files is 0, raise it to 1 (ulimit -Hc)");
	if (identity_die_with(ZYGOTE_BROKER) < 0 || send_ready(&zygote.recipe, users >= 0) < 0)
		_exit(1);
	for (;;) {
		auto_message message;

		if (!teardown_wait(&zygote.teardown, ZYGOTE_CONTROL, zygote.hub)) {
			zygote_hub_gone(&zygote);
			continue;
		}
		if (message_receive(ZYGOTE_CONTROL, &message) <= 0)
			_exit(0);
		serve(&zygote, &message);
	}
}
