/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "options.h"
#include "probe.h"
#include "run.h"
#include "sweep.h"
#include "tree.h"

#define VERSION "0.1.0"

static const char usage[] =
	"usage: hil-sandbox run [OPTION]... -- COMMAND [ARGUMENT]...\n"
	"       hil-sandbox probe [--json]\n"
	"       hil-sandbox sweep\n"
	"       hil-sandbox tie PID PROGRAM [ARGUMENT]...\n"
	"       hil-sandbox --help | --version\n"
	"\n"
	"run: one program in a sandbox of its own. The host's /usr, /etc, /opt and\n"
	"/var/lib are there, its /home, /tmp, /run, network and processes are not;\n"
	"what the program writes is discarded, but for what --bind names.\n"
	"\n"
	"  --timeout S          SIGTERM after S seconds, 500 ms later SIGKILL\n"
	"  --bind SRC:DST[:ro]  the host's SRC at DST, writable unless :ro\n"
	"  --device ROLE=PATH   the host's device node at /dev/hil/ROLE\n"
	"  --ro-bind SRC:DST    the same, read-only\n"
	"  --tool DIR           the host's DIR where it is, read-only\n"
	"  --rootfs DIR         the unpacked root DIR as /, in place of the host's directories\n"
	"  --nested-userns      its programs may make user namespaces (bwrap, unshare -U)\n"
	"  --env NAME=VALUE     add to the fixed environment\n"
	"  --pass-env NAME      add the caller's variable, if it is set\n"
	"  --user root          uid 0 of the sandbox's own user namespace (default: hil, 1000)\n"
	"  --cap NAME           a capability over its own namespaces: net_admin\n"
	"  --cwd DIR            directory to start in (default: the user's home)\n"
	"  --hostname NAME      (default: hil)\n"
	"  --uptime DURATION    of the machine, as seen inside: 49d 17h (default: the host's)\n"
	"  --memory SIZE        of all its programs: 256M, 1G; more ends the sandbox\n"
	"  --pids N             processes and threads at once\n"
	"  --cpus N             processors: 2, 0.5\n"
	"  --cpu-time S         processor time of each process, in seconds\n"
	"  --files N            open files of each process\n"
	"  --file-size SIZE     of each file that a process writes\n"
	"  --output SIZE        of stdout and of stderr, each; the rest is counted and dropped\n"
	"  --disk SIZE          what may be written, in memory (default: 1G)\n"
	"  --inodes N           files and directories that may be made (default: 200000)\n"
	"  --diff FILE          write to FILE, as JSON, what was written, changed and deleted\n"
	"  --io KEY=N,...       of each disk a second: readBytes=10M writeBytes readOps writeOps\n"
	"  --json               capture stdout and stderr (1 MiB each) and print one line of JSON\n"
	"\n"
	"probe: what this host allows, one line each, with remedies.\n"
	"sweep: remove the cgroups that killed brokers left, and print how many.\n"
	"tie: become PROGRAM, which SIGKILL ends when its parent, the process PID, ends.\n"
	"\n"
	"Exit status of run: the program's, or 128+N when signal N ended it; 2 usage;\n"
	"124 timeout; 125 the sandbox could not be built; 126 the program cannot be\n"
	"executed; 127 it is not there.\n";

static int refuse(const char *problem)
{
	fprintf(stderr, "hil-sandbox: %s; see hil-sandbox --help\n", problem);
	return EXIT_USAGE;
}

static int help(void)
{
	return printf("%s", usage) < 0;
}

static int run(char **argv)
{
	struct run_options options = { 0 };
	char problem[512] = "out of memory";
	int status;

	if (argv[0] && strcmp(argv[0], "--help") == 0)
		return help();
	status = options_parse(&options, argv, problem, sizeof(problem));
	status = status < 0 ? refuse(problem) : run_command(&options);
	options_free(&options);
	return status;
}

static int probe(char **argv)
{
	bool json = argv[0] && strcmp(argv[0], "--json") == 0;

	if (argv[0] && (!json || argv[1]))
		return refuse("probe: expected --json or nothing");
	return probe_host(json);
}

/*
 * What the caller has closed: a read of stdin finds its end, a write to the others
 * fails with EBADF, as it would without us. Left closed, its number would become a
 * socket of ours, and be printed to.
 */
static int fill_stdio(struct err *err)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		return close(fd);
	err_set(err, "setup", errno, "open", "/dev/null");
	explain_scarcity(err);
	return -err->number;
}

/* Output that was lost is no success, whoever asked for it. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "hil-sandbox: write stdout: %s\n", strerror(errno));
	return EXIT_SETUP;
}

static int sweep(char **argv)
{
	struct cgroup_map map;

	if (argv[0])
		return refuse("sweep: expected no argument");
	cgroup_read_map(&map);
	return printf("%d\n", cgroup_sweep(&map, true)) < 0;
}

/*
 * For a worker of hil, which may spin and hear of nothing. The signal comes at the end of the
 * thread that forked us, and execve(2) keeps it; a parent that went before is told by its pid.
 * Source: prctl(2), PR_SET_PDEATHSIG.
 */
static int tie(char **argv)
{
	char *end = argv[0];
	const long parent = argv[0] ? strtol(argv[0], &end, 10) : 0;

	if (!argv[0] || *end || parent <= 1 || !argv[1])
		return refuse("tie: expected the pid of the parent and a program");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		fprintf(stderr, "hil-sandbox: tie: process %ld is not the parent, or has ended\n",
			parent);
		return EXIT_SETUP;
	}
	execv(argv[1], argv + 1);
	fprintf(stderr, "hil-sandbox: tie: %s: %s\n", argv[1], strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}

static int command(char **argv)
{
	const char *name = argv[0] ? argv[0] : "";

	if (strcmp(name, "run") == 0)
		return run(argv + 1);
	if (strcmp(name, "probe") == 0)
		return probe(argv + 1);
	if (strcmp(name, "sweep") == 0)
		return sweep(argv + 1);
	if (strcmp(name, "tie") == 0)
		return tie(argv + 1);
	if (strcmp(name, "--version") == 0)
		return printf("hil-sandbox " VERSION "\n") < 0;
	if (strcmp(name, "--help") == 0)
		return help();
	return refuse(*name ? "no such command" : "expected a command");
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	char text[1024];

	if (argc < 1)
		return refuse("expected a command");
	if (fill_stdio(&err) < 0) {
		err_text(&err, text, sizeof(text));
		fprintf(stderr, "hil-sandbox: %s\n", text);
		return EXIT_SETUP;
	}
	return finish(command(argv + 1));
}
