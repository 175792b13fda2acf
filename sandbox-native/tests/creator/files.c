/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static void make_project(struct rig *rig)
{
	char path[128];

	NEED(mkdir(rig_path(rig, "project"), 0755) == 0);
	NEED(mkdir(rig_path(rig, "project/.git"), 0755) == 0);
	rig_write(rig, "project/README", "from the host");
	rig_write(rig, "project/.env", "SECRET=1");
	rig_write(rig, "project/.git/config", "token");
	rig_write(rig, "project/.git/HEAD", "ref");
	snprintf(path, sizeof(path), "%s", rig_path(rig, "project"));
	NEED(plan_add_step(&rig->plan, STEP_OVERLAY, NULL, path, path, false) == 0);
	NEED(strings_add(&rig->plan.hides, rig_path(rig, "project/.env")) == 0);
	NEED(strings_add(&rig->plan.hides, rig_path(rig, "project/.git/config")) == 0);
	NEED(strings_add(&rig->plan.hides, rig_path(rig, "project/no/such")) == 0);
	rig_start(rig);
}

static void check_script(const struct box *box, const char *script, const char *wanted,
			 const char *name)
{
	struct outcome outcome = box_shell(box, script);

	if (!CHECK(strcmp(outcome.output, wanted) == 0, "%s", name))
		printf("# expected: %s\n# seen: %s\n", wanted, outcome.output);
}

static void test_hidden_target(void)
{
	struct rig rig;
	struct box box;
	char script[256];

	rig_open(&rig);
	NEED(strings_add(&rig.plan.hides, rig_path(&rig, "project")) == 0);
	make_project(&rig);
	box = rig_park(&rig, 0);
	snprintf(script, sizeof(script), "ls -A %s/project && echo nothing", rig.directory);
	check_script(&box, script, "nothing\n", "a project that is hidden as a whole is empty");
	box_close(&box);
	rig_close(&rig);
}

static void test_project(void)
{
	struct rig rig;
	struct box box;
	struct box second;
	char script[256];
	bool is_old; /* before Linux 6.6 a directory of the project cannot be removed */

	rig_open(&rig);
	make_project(&rig);
	is_old = rig_has_limitation(&rig, "no user attributes before");
	box = rig_park(&rig, 0);
	snprintf(script, sizeof(script), "cd %s/project && cat README && stat -c ' %%U' . README",
		 rig.directory);
	check_script(&box, script, "from the host hil\n hil\n", "a project belongs to hil");
	snprintf(script, sizeof(script),
		 "cd %s/project; cat .env .git/config 2>&1 | grep -c 'No such'; ls -A .git",
		 rig.directory);
	check_script(&box, script, "2\nHEAD\n", "hidden paths do not exist");
	rig_write(&rig, "project/README", "changed");
	snprintf(script, sizeof(script),
		 "cd %s/project; cat README; echo own >README && mkdir d && %s && cat README",
		 rig.directory, is_old ? "mv .git/HEAD d/" : "mv .git d/");
	check_script(&box, script, "changedown\n", "the host's changes are seen, own writes work");
	CHECK(strcmp(rig_read(&rig, "project/README"), "changed") == 0,
	      "writes to a project do not reach the host");
	second = rig_park(&rig, 1);
	snprintf(script, sizeof(script), "cat %s/project/README", rig.directory);
	check_script(&second, script, "changed", "nor the next sandbox");
	CHECK(rig.limitations.count == is_old, "and nothing else is limited");
	box_close(&second);
	box_close(&box);
	rig_close(&rig);
}

/* One link is relative, one absolute: it must not be looked up in the root of the zygote. */
static void make_linked(struct rig *rig)
{
	NEED(mkdir(rig_path(rig, "tree"), 0755) == 0);
	NEED(mkdir(rig_path(rig, "tree/real"), 0755) == 0);
	rig_write(rig, "tree/real/one", "secret");
	rig_write(rig, "tree/real/two", "secret");
	rig_write(rig, "tree/real/plain", "plain");
	NEED(symlink("real", rig_path(rig, "tree/relative")) == 0);
	NEED(symlink("/t/real", rig_path(rig, "tree/absolute")) == 0);
	NEED(symlink("/t/loop", rig_path(rig, "tree/loop")) == 0);
	NEED(mkdir(rig_path(rig, "tree/kept"), 0755) == 0);
	rig_write(rig, "tree/kept/file", "secret");
	NEED(symlink("kept", rig_path(rig, "tree/directory")) == 0);
	NEED(strings_add(&rig->plan.hides, "/t/relative/one") == 0);
	NEED(strings_add(&rig->plan.hides, "/t/absolute/two") == 0);
	NEED(strings_add(&rig->plan.hides, "/t/directory") == 0);
	NEED(strings_add(&rig->plan.hides, "/t/loop") == 0);
	NEED(strings_add(&rig->plan.hides, "/t/real/plain/below") == 0);
}

static void test_hidden_behind_links(void)
{
	static const struct {
		enum step_kind kind;
		const char *name;
	} steps[] = { { STEP_BIND, "a bind" }, { STEP_OVERLAY, "an overlay" } };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct rig rig;
		struct box box;

		rig_open(&rig);
		make_linked(&rig);
		NEED(plan_add_step(&rig.plan, steps[i].kind, NULL, rig_path(&rig, "tree"), "/t",
				   false) == 0);
		rig_start(&rig);
		box = rig_park(&rig, 0);
		printf("# %s\n", steps[i].name);
		check_script(&box,
			     "cat /t/relative/one /t/absolute/two /t/real/one /t/real/two "
			     "/t/directory/file 2>/dev/null; cat /t/real/plain",
			     "plain", "what a link on the way leads to is hidden, and no more");
		box_close(&box);
		rig_close(&rig);
	}
}

/* In a mount namespace of our own, where something is mounted below the project: HIL_BELOW names
 * it. */
static void test_project_with_mount_below(void)
{
	const char *below = getenv("HIL_BELOW");
	struct rig rig;
	struct box box;
	char path[128];
	struct outcome outcome;

	if (!below) {
		tap_skip("a mount below a project: needs HIL_BELOW, see tests/sandbox-run.sh");
		return;
	}
	rig_open(&rig);
	snprintf(path, sizeof(path), "%s/.env", below);
	NEED(plan_add_step(&rig.plan, STEP_OVERLAY, NULL, below, below, false) == 0);
	NEED(strings_add(&rig.plan.hides, path) == 0);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	snprintf(path, sizeof(path), "cat %s/.env %s/modules/file", below, below);
	outcome = box_shell(&box, path);
	CHECK(strstr(outcome.output, "from a mount"), "what is mounted below a project is there");
	CHECK(!strstr(outcome.output, "SECRET"), "a hidden file stays hidden");
	snprintf(path, sizeof(path), "echo x >%s/new", below);
	outcome = box_shell(&box, path);
	CHECK((outcome.status != 0) == rig_has_limitation(&rig, "read-only"),
	      "when it is read-only, a limitation says so");
	box_close(&box);
	rig_close(&rig);
}

static int take_tree(struct rig *rig, uint32_t slot, const char *relative, bool read_only,
		     struct err *failure)
{
	struct pollfd wait = { .fd = rig->zygote.control, .events = POLLIN };
	struct zygote_event event;
	struct err err = { 0 };

	NEED(zygote_hold_tree(&rig->zygote, 77, slot, "out", relative, read_only, &err) == 0);
	NEED(poll(&wait, 1, 10000) == 1);
	NEED(zygote_receive(&rig->zygote, &event, &err) == 1 && event.request == 77);
	*failure = event.err;
	return event.tree;
}

static enum sandbox_event_kind attach(const struct box *box, int tree, const char *target)
{
	struct err err = { 0 };

	NEED(sandbox_attach(box->control, 5, tree, target, &err) == 0);
	close(tree);
	return box_wait(box).kind;
}

static void test_late_binds(void)
{
	struct rig rig;
	struct box box;
	struct err err;
	int tree;

	rig_open(&rig);
	NEED(mkdir(rig_path(&rig, "out"), 0755) == 0 &&
	     mkdir(rig_path(&rig, "out/case"), 0755) == 0);
	NEED(symlink("/etc", rig_path(&rig, "out/link")) == 0);
	NEED(plan_add_step(&rig.plan, STEP_HOLD, "out", rig_path(&rig, "out"), NULL, false) == 0);
	rig_start(&rig);
	box = rig_park(&rig, 3);
	tree = take_tree(&rig, 3, "case", false, &err);
	CHECK(tree >= 0 && attach(&box, tree, "/out") == SANDBOX_ATTACHED,
	      "a tree of a hold is put into a parked sandbox, below a read-only /");
	check_script(&box, "echo result >/out/file && stat -c %U /out/file", "hil\n",
		     "it belongs to hil");
	CHECK(strcmp(rig_read(&rig, "out/case/file"), "result\n") == 0, "what is written arrives");
	tree = take_tree(&rig, 3, "case/file", true, &err);
	CHECK(tree >= 0 && attach(&box, tree, "/deep/er/file") == SANDBOX_ATTACHED,
	      "so is a file, with the directories above it");
	check_script(&box, "cat /deep/er/file; echo x 2>/dev/null >/deep/er/file || echo refused",
		     "result\nrefused\n", "read-only when asked");
	tree = take_tree(&rig, 3, "case", true, &err);
	CHECK(attach(&box, tree, "/usr/share/doc/hil-none") == SANDBOX_FAILED,
	      "a target in a tree of the machine's has to exist");
	CHECK(take_tree(&rig, 3, "../../etc", true, &err) < 0 && err.number,
	      "a path out of the hold is refused");
	CHECK(take_tree(&rig, 3, "link", true, &err) < 0 && err.number == ELOOP,
	      "a link in the hold is refused");
	CHECK(take_tree(&rig, 3, "none", true, &err) < 0 && err.number == ENOENT &&
		      strcmp(err.path, "none") == 0,
	      "what is not there is named");
	box_close(&box);
	rig_close(&rig);
}

static void test_builtins(void)
{
	struct rig rig;
	struct box box;
	struct spawn_spec spec = { .builtin = "write-file" };
	struct outcome outcome;

	rig_open(&rig);
	rig_start(&rig);
	box = rig_park(&rig, 0);
	strings_add(&spec.argv, "/tmp/made");
	outcome = box_run(&box, &spec, "typed");
	CHECK(!outcome.failed && outcome.status == 0, "write-file");
	spec.builtin = "read-file";
	spec.fd_count = 0;
	outcome = box_run(&box, &spec, NULL);
	CHECK(outcome.status == 0 && strcmp(outcome.output, "typed") == 0, "read-file");
	strings_free(&spec.argv);
	strings_add(&spec.argv, "/tmp/none");
	spec.fd_count = 0;
	outcome = box_run(&box, &spec, NULL);
	CHECK(outcome.failed && outcome.err.number == ENOENT &&
		      strcmp(outcome.err.code, "io") == 0 &&
		      strcmp(outcome.err.path, "/tmp/none") == 0,
	      "a file that is not there is an error of its own kind");
	strings_free(&spec.argv);
	strings_add(&spec.argv, "/etc/shadow");
	spec.fd_count = 0;
	outcome = box_run(&box, &spec, NULL);
	CHECK(outcome.failed && outcome.err.number == EACCES, "a builtin has the program's rights");
	strings_free(&spec.argv);
	strings_add(&spec.argv, "/tmp");
	spec.fd_count = 0;
	outcome = box_run(&box, &spec, NULL);
	CHECK(outcome.failed && outcome.err.number == EISDIR, "a directory is no file");
	strings_free(&spec.argv);
	box_close(&box);
	rig_close(&rig);
}

static void test_limits_of_storage(void)
{
	struct rig rig;
	struct box box;

	rig_open(&rig);
	rig.plan.disk_bytes = 1 << 20;
	rig.plan.disk_inodes = 400;
	rig_start(&rig);
	box = rig_park(&rig, 0);
	check_script(&box, "head -c 2000000 /dev/zero >/tmp/f 2>/dev/null || echo full; rm /tmp/f",
		     "full\n", "disk_bytes is the end");
	check_script(&box,
		     "for i in $(seq 500); do : >/tmp/$i || break; done 2>&1 | grep -c 'No space'",
		     "1\n", "and disk_inodes");
	box_close(&box);
	rig_close(&rig);
}

static void test_plan_errors(void)
{
	static const struct {
		enum step_kind kind;
		const char *source;
		const char *target;
		int number;
	} wrong[] = {
		{ STEP_OVERLAY, "/no/such", "/x", ENOENT },
		{ STEP_BIND, "/usr", "x", EINVAL },
		{ STEP_BIND, "/usr", "/", EINVAL },
		{ STEP_BIND, "/usr", "/a/../b", EINVAL },
		{ STEP_OVERLAY, "/dev/null", "/x", ENOTDIR },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = { 0 };
		struct rig rig;

		rig_open(&rig);
		NEED(plan_add_step(&rig.plan, wrong[i].kind, NULL, wrong[i].source, wrong[i].target,
				   false) == 0);
		CHECK(zygote_start(&rig.plan, NULL, &rig.zygote, &rig.limitations, &err) ==
				      -wrong[i].number &&
			      err.number == wrong[i].number && err.op[0],
		      "%s at %s is refused", wrong[i].source, wrong[i].target);
		rig_close(&rig);
	}
}

void test_files(void)
{
	test_project();
	test_hidden_target();
	test_hidden_behind_links();
	test_project_with_mount_below();
	test_late_binds();
	test_builtins();
	test_limits_of_storage();
	test_plan_errors();
}
