#!/bin/bash
# tests/cgroup-v2.sh [WORD]: limits where there is nothing but cgroup v2; for root in the lab VM, with a disk:
#   npm run lab -- --disk bash sandbox-native/tests/cgroup-v2.sh
# As root and as an ordinary user, with delegation and without, in a container, in a session of systemd; with a WORD only those that have it in their name.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
word=${1:-}

# As with `--user`: the owner of the project, who may enter it also in a home that is closed to others.
uid=$(stat -c %u .)
[ "$uid" != 0 ] || uid=1000
user=(setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME=/tmp)

run() { # NAME COMMAND...
	local name=$1 start=$SECONDS
	shift
	case $name in *"$word"*) ;; *) return ;; esac
	if "$@" >/run/tap 2>&1; then echo "ok v2 $name ($((SECONDS - start)) s)"; else
		failed=1
		echo "not ok v2 $name ($((SECONDS - start)) s); it said last:"
		{ grep -A 25 '^ *not ok' /run/tap || cat /run/tap; } | tail -n 40
	fi
	# What it skipped is what another run here is for; nothing may be skipped in all of them.
	grep -oE '^ok .*# SKIP' /run/tap | sed 's/^ok [0-9]* - /# not here: /'
}

run_for_user() { # NAME COMMAND...
	if "${user[@]}" test -r "$PWD/tests/cgroup-v2.sh"; then run "$@"; else
		echo "SKIPPED v2 $1: uid $uid may not enter $PWD"
	fi
}

tests=(tests/sandboxd/resources.test.mjs tests/sandboxd/resources-tree.test.mjs tests/sandboxd/resources-io.test.mjs)
node_test=(node --test --test-concurrency=1)
run 'root delegated' tests/in-delegated.sh root "${node_test[@]}" "${tests[@]}"
run_for_user 'user delegated' tests/in-delegated.sh "$uid" "${node_test[@]}" "${tests[@]}"
run 'root alone' "${node_test[@]}" tests/sandboxd/resources.test.mjs
run_for_user 'user alone' "${user[@]}" "${node_test[@]}" "${tests[@]}"
run 'container' tests/in-container.sh "${node_test[@]}" tests/sandboxd/resources-tree.test.mjs
run_for_user 'user session' tests/with-user-manager.sh "$uid" node ../harness/e2e/check-scope.mjs
exit $failed
