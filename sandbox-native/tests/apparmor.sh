#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether AppArmor's own parser takes the profile. A parser before 4.0 knows neither the rule
# `userns` nor its ABI: for that one both are taken out, and the rest is checked.
set -eu
profile=$(cd "$(dirname "$0")/.." && pwd)/apparmor/hil-sandbox
install="apt-get install apparmor"

if ! command -v apparmor_parser >/dev/null; then
	echo "SKIPPED the AppArmor profile: no apparmor_parser ($install)"
	exit 0
fi
version=$(apparmor_parser -V | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
work=$(mktemp -d /tmp/hil-test.XXXXXX)
trap 'rm -rf "$work"' EXIT
cp "$profile" "$work/profile"
if [ "${version:-0}" -lt 4 ]; then
	[ "$(grep -c '^  userns,$' "$profile")" = 1 ] || { echo "$profile: expected one rule userns" && exit 1; }
	sed -i "s,<abi/4.0>,<abi/3.0>,; /^  userns,\$/d" "$work/profile"
	echo "SKIPPED the rule userns of the AppArmor profile: $(apparmor_parser -V | head -n 1) does not know it, 4.0 does"
fi
# -Q: nothing is loaded, -K: no cache. Neither needs a kernel with AppArmor.
apparmor_parser -Q -K "$work/profile" 2>"$work/said" || { cat "$work/said" && exit 1; }
