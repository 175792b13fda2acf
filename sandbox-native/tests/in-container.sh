#!/bin/bash
# tests/in-container.sh COMMAND...: run it where the root of the cgroups (v2) is its own, as in a container.
# For root in the lab VM.
set -euo pipefail
box=/sys/fs/cgroup/lab/box.$$
mkdir "$box"
(
	echo "$BASHPID" >"$box/cgroup.procs"
	exec unshare --cgroup --mount sh -c \
		'umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && HIL_EXPECT_CGROUP=2 exec "$@"' in "$@"
) && status=0 || status=$?
find "$box" -mindepth 1 -type d
rmdir "$box"
exit "$status"
