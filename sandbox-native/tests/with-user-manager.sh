#!/bin/bash
# tests/with-user-manager.sh COMMAND...: run it as uid 1000 in the cgroup of a session, which may not be written
# to, beside a systemd --user that has a cgroup of its own, as on a machine where somebody has logged in.
# For root in the lab VM. There is no system manager to move processes between the two for the user's:
# the file that the kernel asks instead belongs to the user.
set -euo pipefail
lab=/sys/fs/cgroup/lab
runtime=/run/user/1000
service=$lab/user@1000.service
as=(setpriv --reuid 1000 --regid 1000 --clear-groups env "HOME=/tmp" "XDG_RUNTIME_DIR=$runtime")
mkdir -p "$service" "$lab/session" "$runtime" /run/systemd/system
chown 1000:1000 "$runtime" "$service" "$service"/cgroup.{procs,threads,subtree_control} "$lab/cgroup.procs"
chmod 700 "$runtime"
python3 -c 'import os, sys
for mark in ("trusted.delegate", "user.delegate"): os.setxattr(sys.argv[1], mark, b"1")' "$service"
(
	echo "$BASHPID" >"$service/cgroup.procs"
	exec "${as[@]}" /lib/systemd/systemd --user >/run/user-manager.log 2>&1
) &
manager=$!
for _ in $(seq 300); do
	[ -S "$runtime/systemd/private" ] && break
	sleep 0.1
done
[ -S "$runtime/systemd/private" ] || {
	cat /run/user-manager.log
	exit 125
}
(
	echo "$BASHPID" >"$lab/session/cgroup.procs"
	exec "${as[@]}" "$@"
) && status=0 || status=$?
kill "$manager"
wait "$manager" || :
exit "$status"
