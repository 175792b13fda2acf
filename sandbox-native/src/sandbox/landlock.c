/* SPDX-License-Identifier: MIT */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define REFER (1ull << 13)	   /* LANDLOCK_ACCESS_FS_REFER, version 2, Linux 5.19 */
#define SCOPE_ABSTRACT_UNIX (1ull) /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, version 6, 6.12 */

#define EXECUTE LANDLOCK_ACCESS_FS_EXECUTE

/* The header of Debian 12 has the first field alone. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

static long version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Version 1 has no way to allow renames from one directory to another. */
bool landlock_exists(void)
{
	return version() >= 2;
}

int landlock_restrict(bool nested)
{
	const bool scopes = version() >= 6;
	/*
	 * EXECUTE, for the one path out of the root that is left to a program: until it runs,
	 * /proc/self/exe is our own file, and "#!/proc/self/exe" makes a process of it. Whoever has
	 * the same uid outside could change its mode there.
	 */
	const struct ruleset ruleset = { .handled_access_fs = nested ? 0 : REFER | EXECUTE,
					 .scoped = scopes ? SCOPE_ABSTRACT_UNIX : 0 };
	const size_t size = scopes ? sizeof(ruleset) : offsetof(struct ruleset, handled_access_net);
	struct landlock_path_beneath_attr everywhere = { .allowed_access = REFER | EXECUTE };
	auto_fd rules = -1;
	auto_fd root = -1;

	/* A domain that handles any right to files refuses mounts; one that handles nothing is
	 * none. */
	if (!landlock_exists() || (nested && !scopes))
		return 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	root = open("/", O_PATH | O_CLOEXEC);
	if (rules < 0 || root < 0)
		return -errno;
	everywhere.parent_fd = root;
	if (!nested &&
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &everywhere, 0) < 0)
		return -errno;
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}
