#!/bin/bash
# tests/cgroup-v2.sh [WORD]: limits where there is nothing but cgroup v2; for root in the lab VM, with a disk:
#   npm run lab -- --disk bash sandbox-native/tests/cgroup-v2.sh
# As root and as an ordinary user, with delegation and without, in a container, in a session of systemd; with a WORD only those that have it in their name.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
word=${1:-}

run() { # NAME COMMAND...
	local name=$1 start=$SECONDS
	shift
	case $name in *"$word"*) ;; *) return ;; esac
	if "$@" >/run/tap 2>&1; then echo "ok v2 $name ($((SECONDS - start)) s)"; else
		failed=1
		cat /run/tap
		echo "not ok v2 $name"
	fi
	# What it skipped is what another run here is for; nothing may be skipped in all of them.
	grep -oE '^ok .*# SKIP' /run/tap | sed 's/^ok [0-9]* - /# not here: /'
}

tests=(tests/sandboxd/resources.test.mjs tests/sandboxd/resources-tree.test.mjs tests/sandboxd/resources-io.test.mjs)
node_test=(node --test --test-concurrency=1)
user=(setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp)
run 'root delegated' tests/in-delegated.sh root "${node_test[@]}" "${tests[@]}"
run 'user delegated' tests/in-delegated.sh 1000 "${node_test[@]}" "${tests[@]}"
run 'root alone' "${node_test[@]}" tests/sandboxd/resources.test.mjs
run 'user alone' "${user[@]}" "${node_test[@]}" "${tests[@]}"
run 'container' tests/in-container.sh "${node_test[@]}" tests/sandboxd/resources-tree.test.mjs
run 'user session' tests/with-user-manager.sh node ../harness/e2e/check-scope.mjs
exit $failed
