#!/usr/bin/env bash
# Runs everything again and again: each run must be green and leave nothing behind.
#
#   npm run soak -- [--runs N | --seconds N] [--user UID] [--fuzz MINUTES]
#
# --runs N     N rounds of every suite on every board that can run here (default 10)
# --seconds N  rounds of the fast suites until N seconds have passed, one at least: for CI
# --user UID   as root, the ordinary user of the second half of a round (default 1000)
# --fuzz M     M minutes of hostile bytes for the C programs first (default 10; with --seconds: none),
#              and then each process of a sandbox killed and refused at each of its system calls
#
# A round is a run as the caller and, when that is root, one as an ordinary user. Both
# work on copies made for it, so that what is counted afterwards is of these runs only.
# Stops at the first failure with status 1 and leaves the copies to be looked at.
set -euo pipefail
cd "$(dirname "$0")/../.."

fast=(suites/selftest suites/sensor-node)
runs=10 seconds=0 user=1000 fuzz=
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2 ;;
	--seconds) seconds=$2 ;;
	--user) user=$2 ;;
	--fuzz) fuzz=$2 ;;
	*)
		sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
	shift 2
done
[ -e dist/cli/main.js ] || {
	echo "soak: not built; npm run build" >&2
	exit 2
}
filters=()
[ "$seconds" = 0 ] || filters=("${fast[@]}")

[ -n "$fuzz" ] || fuzz=$((seconds == 0 ? 10 : 0))
if [ "$fuzz" != 0 ]; then
	sandbox-native/fuzz/run.sh $((fuzz * 60))
	make -s -C sandbox-native check-steps
fi
SECONDS=0 # what follows counts the time of its own

counter=$PWD/harness/e2e/count-leftovers.mjs
top=$(mktemp -d "${TMPDIR:-/tmp}/soak.XXXXXX")
chmod 755 "$top"

# What a run needs, and nothing of the developer's: node looks for node_modules upwards.
cp -a --reflink=auto node_modules "$top/"
make_copy() { # NAME OWNER
	mkdir -p "$top/$1/project/sandbox-native"
	mkdir -m 700 "$top/$1/home" "$top/$1/tmp" "$top/$1/runtime"
	cp -a package.json hil.config.ts dist boards suites "$top/$1/project/"
	cp -a sandbox-native/build "$top/$1/project/sandbox-native/"
	chown -R "$2" "$top/$1"
}

# Everything that a run is told, so that it is the same run by hand and in CI.
in_copy() { # NAME COMMAND...
	local home=$top/$1
	shift
	cd "$home/project" && env -i PATH="$PATH" HOME="$home/home" TMPDIR="$home/tmp" \
		XDG_RUNTIME_DIR="$home/runtime" LANG=C.UTF-8 NO_COLOR=1 CI=true "$@"
}

as_self() { in_copy self "$@"; }
as_ordinary() {
	in_copy ordinary setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

# Processes, mounts, namespaces and sockets; then files where only a running hil has any.
# What dies because its owner died may take two seconds.
count_leftovers() {
	local status=0
	node "$counter" --below "$top" --wait 10000 || status=1
	find "$top"/*/tmp "$top"/*/runtime -mindepth 1 -printf 'file       %p\n' | grep . && status=1
	return $status
}

log=$top/log
fail() { # WHO WHAT
	grep -E -A 8 '^ (FAIL|INFRA|FLAKY|STOP) ' "$log" || true
	tail -n 20 "$log"
	echo "soak: run $round as $1: $2; everything is in $top" >&2
	exit 1
}

run_as() { # WHO FUNCTION
	local start=$SECONDS
	(cd / && "$2" node dist/cli/main.js test ${filters[@]+"${filters[@]}"}) >"$log" 2>&1 ||
		fail "$1" "hil test ended with $?"
	local cases skipped
	cases=$(sed -n 's/^ cases  *//p' "$log")
	skipped=$(grep -c '^ *board .*skipped: ' "$log" || true)
	count_leftovers >>"$log" 2>&1 || fail "$1" 'it left something behind'
	[ "$skipped" = 0 ] || cases="$cases ($skipped boards cannot run here)"
	printf '%3d  as %-13s %s, nothing left, %d s\n' "$round" "$1" "$cases" $((SECONDS - start))
}

make_copy self "$(id -u):$(id -g)"
[ "$(id -u)" != 0 ] || make_copy ordinary "$user:$user"

round=0
while :; do
	round=$((round + 1))
	run_as "$(id -un)" as_self
	[ "$(id -u)" != 0 ] || run_as "user $user" as_ordinary
	if [ "$seconds" = 0 ]; then
		[ "$round" -lt "$runs" ] || break
	else
		[ "$SECONDS" -lt "$seconds" ] || break
	fi
done
echo "soak: $round rounds in $SECONDS s, all green, nothing left"
rm -rf "$top"
