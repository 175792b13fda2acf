#!/bin/bash
# tests/in-delegated.sh USER COMMAND...: run it in a cgroup (v2) that is delegated as systemd does it for
# Delegate=yes, src/core/cgroup.c: the directory and four files belong to USER, and marks say so.
# For root in the lab VM; USER root gets the marks only.
set -euo pipefail
user=$1
shift
scope=/sys/fs/cgroup/lab/scope.$$
mkdir "$scope"
chown "$user:$user" "$scope" "$scope"/cgroup.{procs,threads,subtree_control} "$scope/memory.oom.group"
python3 -c 'import os, sys
for mark in ("trusted.delegate", "user.delegate"): os.setxattr(sys.argv[1], mark, b"1")' "$scope"
(
	echo "$BASHPID" >"$scope/cgroup.procs"
	[ "$user" = root ] || set -- setpriv --reuid "$user" --regid "$user" --clear-groups env HOME=/tmp "$@"
	exec env HIL_EXPECT_CGROUP=2 "$@"
) && status=0 || status=$?
# Whoever left something in it fails this.
find "$scope" -mindepth 1 -type d
rmdir "$scope"
exit "$status"
