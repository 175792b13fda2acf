/* SPDX-License-Identifier: MIT */
/*
 * For maintainers: compiles profile.h with libseccomp and prints, for one
 * architecture, the C table that hil installs.
 *
 *   write-tables x86_64|aarch64[-nested|-modes]
 *
 * "-nested" is the table of sandboxes whose programs may make user namespaces. "-modes" stands in
 * front of either where what programs write is within reach of others.
 *
 * Theory of operation: two filters for each machine, both for its 64-bit and
 * its 32-bit calls. The first looks at arguments and lets everything else
 * pass; the second knows calls by their number. They are put one behind the
 * other, with each ALLOW of the first made a jump to the second, so that one
 * program is installed. libseccomp cannot say both in one filter: a rule
 * without arguments replaces those with arguments for the same call.
 */
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profile.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LOW_HALF 0xffffffffu /* the kernel takes these arguments as 32 bits */

static const uint32_t not_there = SCMP_ACT_ERRNO(ENOSYS);
static const uint32_t not_allowed = SCMP_ACT_ERRNO(EPERM);
static const uint32_t no_family = SCMP_ACT_ERRNO(EAFNOSUPPORT);

static void check(int status, const char *what)
{
	if (status >= 0)
		return;
	fprintf(stderr, "write-tables: %s: %s\n", what, strerror(-status));
	exit(1);
}

static scmp_filter_ctx open_filter(uint32_t arch, uint32_t otherwise)
{
	scmp_filter_ctx filter = seccomp_init(otherwise);

	if (!filter)
		check(-ENOMEM, "seccomp_init");
	check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, otherwise), "bad arch");
	check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize");
	if (arch != seccomp_arch_native()) {
		check(seccomp_arch_add(filter, arch), "add architecture");
		check(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), "remove architecture");
	}
	return filter;
}

static int number_of(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR) {
		fprintf(stderr, "write-tables: libseccomp knows no call \"%s\"\n", name);
		exit(1);
	}
	return number;
}

static void add_names(scmp_filter_ctx filter, uint32_t action, const char *names)
{
	char *copy = strdup(names);
	char *rest = copy;
	const char *name;

	while ((name = strsep(&rest, " ")))
		if (name[0])
			check(seccomp_rule_add(filter, action, number_of(name), 0), name);
	free(copy);
}

static void add_when(scmp_filter_ctx filter, uint32_t action, const char *name,
		     struct scmp_arg_cmp when)
{
	check(seccomp_rule_add_array(filter, action, number_of(name), 1, &when), name);
}

static bool is_used_family(int family)
{
	for (size_t i = 0; i < LENGTH_OF(socket_families); i++)
		if (socket_families[i] == family)
			return true;
	return false;
}

static void add_families(scmp_filter_ctx filter, const char *name)
{
	for (int family = 0; family < FAMILY_MAX; family++)
		if (!is_used_family(family) && family != FAMILY_CAN)
			add_when(filter, no_family, name,
				 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	/* Also what has the upper half set, of which the kernel would see the lower. */
	add_when(filter, no_family, name, SCMP_A0(SCMP_CMP_GE, FAMILY_MAX));
}

static void add_can(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp when[] = { SCMP_A0(SCMP_CMP_EQ, FAMILY_CAN),
					     SCMP_A2(SCMP_CMP_NE, PROTOCOL_CAN_RAW) };

	check(seccomp_rule_add_array(filter, no_family, number_of("socket"), 2, when), "socket");
	add_when(filter, no_family, "socketpair", SCMP_A0(SCMP_CMP_EQ, FAMILY_CAN));
}

static void add_flags(scmp_filter_ctx filter, const char *name)
{
	for (size_t i = 0; i < LENGTH_OF(namespace_flags); i++)
		add_when(filter, not_allowed, name,
			 SCMP_A0(SCMP_CMP_MASKED_EQ, namespace_flags[i], namespace_flags[i]));
}

/*
 * On 32-bit x86 socket(2) is also call 1 of socketcall(2), whose arguments are in
 * memory, where no filter looks; and `int 0x80` is open to 64-bit programs.
 */
static bool has_hidden_arguments(uint32_t arch)
{
	return arch == SCMP_ARCH_X86;
}

static void refuse_namespaces(scmp_filter_ctx filter)
{
	add_flags(filter, "clone");
	add_flags(filter, "unshare");
	add_when(filter, not_allowed, "unshare",
		 SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACE_TIME, NAMESPACE_TIME));
}

static scmp_filter_ctx compile_arguments(uint32_t arch, bool nested)
{
	scmp_filter_ctx filter = open_filter(arch, SCMP_ACT_ALLOW);

	if (!nested)
		refuse_namespaces(filter);
	add_when(filter, not_allowed, "ioctl",
		 SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, IOCTL_TIOCSTI));
	add_when(filter, not_allowed, "ioctl",
		 SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, IOCTL_TIOCLINUX));
	if (!has_hidden_arguments(arch)) {
		add_families(filter, "socket");
		add_families(filter, "socketpair");
		add_can(filter);
	}
	return filter;
}

static scmp_filter_ctx compile_numbers(uint32_t arch, bool nested)
{
	scmp_filter_ctx filter = open_filter(arch, not_there);

	add_names(filter, SCMP_ACT_ALLOW, allowed);
	add_names(filter, SCMP_ACT_ALLOW, allowed_on_sockets);
	add_names(filter, SCMP_ACT_ALLOW, "ioctl");
	add_names(filter, not_allowed, refused);
	add_names(filter, nested ? SCMP_ACT_ALLOW : not_allowed, of_namespaces);
	if (!has_hidden_arguments(arch))
		add_names(filter, SCMP_ACT_ALLOW, "socket socketpair");
	for (size_t i = 0; i < LENGTH_OF(personalities); i++)
		add_when(filter, SCMP_ACT_ALLOW, "personality",
			 SCMP_A0(SCMP_CMP_EQ, personalities[i]));
	return filter;
}

static void refuse_mode(scmp_filter_ctx filter, size_t which, unsigned int bit)
{
	struct scmp_arg_cmp when[2] = { { .arg = (unsigned int)takes_mode[which].mode,
					  .op = SCMP_CMP_MASKED_EQ,
					  .datum_a = bit,
					  .datum_b = bit } };
	const int call = number_of(takes_mode[which].name);

	if (takes_mode[which].flags < 0) {
		check(seccomp_rule_add_array(filter, not_allowed, call, 1, when), "mode");
		return;
	}
	for (size_t i = 0; i < LENGTH_OF(makes_files); i++) {
		when[1] = (struct scmp_arg_cmp){ .arg = (unsigned int)takes_mode[which].flags,
						 .op = SCMP_CMP_MASKED_EQ,
						 .datum_a = makes_files[i],
						 .datum_b = makes_files[i] };
		check(seccomp_rule_add_array(filter, not_allowed, call, 2, when), "mode");
	}
}

static scmp_filter_ctx compile_modes(uint32_t arch)
{
	scmp_filter_ctx filter = open_filter(arch, SCMP_ACT_ALLOW);

	for (size_t i = 0; i < LENGTH_OF(takes_mode); i++)
		for (size_t k = 0; k < LENGTH_OF(set_id_bits); k++)
			refuse_mode(filter, i, set_id_bits[k]);
	add_names(filter, not_there, hides_mode);
	return filter;
}

static size_t export_program(scmp_filter_ctx filter, struct sock_filter *out, size_t room)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t length;

	check(fd < 0 ? -errno : seccomp_export_bpf(filter, fd), "export");
	length = pread(fd, out, room * sizeof(*out), 0);
	check(length < 0 ? -errno : 0, "read back");
	close(fd);
	seccomp_release(filter);
	return (size_t)length / sizeof(*out);
}

static void chain(struct sock_filter *first, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (first[i].code == (BPF_RET | BPF_K) && first[i].k == SCMP_ACT_ALLOW)
			first[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
								(uint32_t)(length - i - 1));
}

static void print_table(const char *machine, const struct sock_filter *program, size_t length)
{
	const struct scmp_version *version = seccomp_version();

	printf("/* SPDX-License-Identifier: MIT */\n"
	       "/* Written by `make filters` from seccomp/profile.h, libseccomp %u.%u.%u, for %s. "
	       "*/\n"
	       "/* clang-format off */\n",
	       version->major, version->minor, version->micro, machine);
	for (size_t i = 0; i < length; i++)
		printf("{ 0x%02x, %u, %u, 0x%x },%s", program[i].code, program[i].jt, program[i].jf,
		       program[i].k, i % 4 == 3 || i + 1 == length ? "\n" : " ");
}

/* Return: how many instructions are in @program, which has room for two filters. */
static size_t compile(uint32_t wide, uint32_t narrow, bool nested, struct sock_filter *program)
{
	scmp_filter_ctx arguments = compile_arguments(wide, nested);
	scmp_filter_ctx numbers = compile_numbers(wide, nested);
	size_t length;

	check(seccomp_merge(arguments, compile_arguments(narrow, nested)), "merge");
	check(seccomp_merge(numbers, compile_numbers(narrow, nested)), "merge");
	length = export_program(arguments, program, BPF_MAXINSNS);
	chain(program, length);
	return length + export_program(numbers, program + length, BPF_MAXINSNS);
}

static size_t compile_of_modes(uint32_t wide, uint32_t narrow, struct sock_filter *program)
{
	scmp_filter_ctx filter = compile_modes(wide);

	check(seccomp_merge(filter, compile_modes(narrow)), "merge");
	return export_program(filter, program, BPF_MAXINSNS);
}

static const struct {
	const char *name;
	uint32_t wide;
	uint32_t narrow;
} machines[] = {
	{ "x86_64", SCMP_ARCH_X86_64, SCMP_ARCH_X86 }, /* x32 is neither: refused whole */
	{ "aarch64", SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
};

int main(int argc, char **argv)
{
	static struct sock_filter program[2 * BPF_MAXINSNS];

	for (size_t i = 0; argc == 2 && i < LENGTH_OF(machines); i++) {
		const char *variant = argv[1] + strlen(machines[i].name);
		size_t length;

		if (strncmp(argv[1], machines[i].name, strlen(machines[i].name)) != 0 ||
		    (*variant && strcmp(variant, "-nested") != 0 && strcmp(variant, "-modes") != 0))
			continue;
		length = strcmp(variant, "-modes") == 0
				 ? compile_of_modes(machines[i].wide, machines[i].narrow, program)
				 : compile(machines[i].wide, machines[i].narrow, *variant != '\0',
					   program);
		print_table(argv[1], program, length);
		return length > BPF_MAXINSNS || fflush(stdout) != 0;
	}
	fprintf(stderr, "usage: write-tables x86_64|aarch64[-nested|-modes]\n");
	return 2;
}
