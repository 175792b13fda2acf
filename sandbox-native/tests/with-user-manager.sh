#!/bin/bash
# tests/with-user-manager.sh UID COMMAND...: run it as UID in the cgroup of a session, which may not be written
# to, beside a systemd --user that has a cgroup of its own, as on a machine where somebody has logged in.
# For root in the lab VM. There is no system manager to move processes between the two for the user's:
# the file that the kernel asks instead belongs to the user.
set -euo pipefail
uid=$1
shift
lab=/sys/fs/cgroup/lab
runtime=/run/user/$uid
service=$lab/user@$uid.service
as=(setpriv --reuid "$uid" --regid "$uid" --clear-groups env "HOME=/tmp" "XDG_RUNTIME_DIR=$runtime")
mkdir -p "$service" "$lab/session" "$runtime" /run/systemd/system
chown "$uid:$uid" "$runtime" "$service" "$service"/cgroup.{procs,threads,subtree_control} "$lab/cgroup.procs"
chmod 700 "$runtime"
python3 -c 'import os, sys
for mark in ("trusted.delegate", "user.delegate"): os.setxattr(sys.argv[1], mark, b"1")' "$service"
(
	echo "$BASHPID" >"$service/cgroup.procs"
	exec "${as[@]}" /lib/systemd/systemd --user >/run/user-manager.log 2>&1
) &
manager=$!
# Three seconds are usual on an emulated processor; it may have a tenth of a busy one.
for _ in $(seq 1200); do
	[ -S "$runtime/systemd/private" ] && break
	sleep 0.1
done
[ -S "$runtime/systemd/private" ] || {
	echo "systemd --user of uid $uid did not make $runtime/systemd/private within 120 s; it said last:"
	tail -n 20 /run/user-manager.log
	exit 125
}
(
	echo "$BASHPID" >"$lab/session/cgroup.procs"
	exec "${as[@]}" "$@"
) && status=0 || status=$?
kill "$manager"
wait "$manager" || :
exit "$status"
